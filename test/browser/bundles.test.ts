/** Bundles by another hand, in a browser: every snapshot of the good ones reads right, the wrong ones are refused by name. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Worker } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BundleSync } from "../../src/bundle.js";
import { FileFolderSync } from "../../src/node.js";
import { CAUSES, IMAGE_CAUSES } from "../bundle/causes.js";
import { engines } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { allOfCi, describeWith, fixtures, fixturesFolder, runTool, testWith, tool } from "../support/peers.js";
import { thorough } from "../support/runs.js";
import { browserNeeds, launchBrowser, startWorker, type TestBrowser } from "./browser.js";
import { type Site, startSite } from "./site.js";

const few = thorough ? engines : engines.slice(0, 1);
const folder = temporaryFolder()("bundles");
const hash = (kind: string, bytes: Uint8Array) => createHash(kind).update(bytes).digest("hex");

describeWith([...browserNeeds, fixtures, tool("python3")], "In a browser, bundles of known content", () => {
  let site: Site;
  let browser: TestBrowser;
  let worker: Worker;
  let expected: { good: Record<string, { states: Record<string, string> }>; bad: Record<string, string> };

  beforeAll(async () => {
    runTool("python3", join(fixturesFolder, "bundles.py"), folder);
    expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));
    site = await startSite({ scripts: { reader: "test/browser/bundle-reader.ts" } });
    browser = await launchBrowser();
    worker = await startWorker(await browser.open(site.origin), "/reader.js");
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  async function answersOf(name: string, engine: "wasm" | "js"): Promise<unknown[]> {
    const names = readdirSync(join(folder, `${name}.hdd`));
    for (const file of names)
      site.files.set(`/${name}/${encodeURIComponent(file)}`, readFileSync(join(folder, `${name}.hdd`, file)));
    return worker.evaluate(([one, files, kind]) => reader.read(one, files, kind), [name, names, engine] as [
      string,
      string[],
      "wasm" | "js",
    ]);
  }

  it.each(few)("read right from memory at once, from OPFS, and from picked files (%s engine)", async (engine) => {
    for (const [name, { states }] of Object.entries(expected.good)) {
      const contents = Object.fromEntries(
        Object.entries(states).map(([guid, md5]) => [guid, sha256Of(name, guid, md5)]),
      );
      expect([name, await answersOf(name, engine)]).toEqual([name, [contents, contents, contents]]);
    }
  });

  for (const engine of few)
    testWith([allOfCi], `are refused by name where they are wrong (${engine} engine)`, async () => {
      for (const name of Object.keys(expected.bad)) {
        const [code, message] = { ...CAUSES, ...IMAGE_CAUSES }[name];
        const refusal = { code, message: expect.stringMatching(message) };
        expect([name, await answersOf(name, engine)]).toEqual([name, [refusal, refusal, refusal]]);
      }
    });
});

/** What a browser can compute, of content that has the md5 that it must have. */
function sha256Of(name: string, snapshot: string, md5: string): string {
  const bundle = BundleSync.open(FileFolderSync.open(join(folder, `${name}.hdd`)));
  const disk = bundle.openDisk({ snapshot, readOnly: true });
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  bundle.close();
  expect(hash("md5", bytes)).toBe(md5);
  return hash("sha256", bytes);
}
