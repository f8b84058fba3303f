/** The examples of README.md, run as they stand there against the installed package. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DiskSync, MemoryStorage } from "../../src/index.js";
import { Installation, ROOT } from "./installation.js";

const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The code blocks of one language under a heading. */
function examples(heading: string, language: string): string[] {
  const start = README.indexOf(`\n## ${heading}\n`);
  if (start < 0) throw new Error(`README.md has no heading "${heading}"`);
  const section = README.slice(start + 1).split(/^## /m)[1];
  return Array.from(section.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm")), (match) => match[1]);
}

let installation: Installation;

beforeAll(() => {
  installation = new Installation();
});

afterAll(() => installation?.remove());

test("the two commands are named, word for word", () => {
  expect(README).toMatch(/^npm ci && npm run demo\b/m);
  expect(README).toMatch(/^npm ci && npm test\b/m);
});

test("the example for Node prints what it says", () => {
  const [code] = examples("In Node", "js");
  installation.write("example.js", code!);
  const { stdout, stderr } = installation.run("node", "example.js");
  expect(stderr).toBe("");
  expect(stdout.trimEnd().split("\n")).toEqual(Array.from(code!.matchAll(/\/\/ prints: (.*)$/gm), (match) => match[1]));
});

test("the example for a worker, bundled, answers with a disk's bytes", async () => {
  const [code] = examples("In a worker", "js");
  const { outputFiles } = await build({
    stdin: { contents: code!, resolveDir: installation.folder },
    ...{ bundle: true, platform: "browser", format: "iife", target: "es2022", write: false, logLevel: "silent" },
  });
  const fetch = async () => new Response(imageWith("sector", 4094));
  const self: { onmessage?: (message: unknown) => Promise<void>; postMessage?: (bytes: Uint8Array) => void } = {};
  const answer = new Promise<Uint8Array>((resolve) => {
    self.postMessage = resolve;
  });
  runInContext(outputFiles[0].text, createContext({ atob, fetch, self }));
  await self.onmessage!({ data: { url: "disk.hds", offset: 4094, length: 6 } });
  expect(new TextDecoder().decode(await answer)).toBe("sector");
});

function imageWith(text: string, offset: number): Uint8Array<ArrayBuffer> {
  const storage = new MemoryStorage();
  const disk = DiskSync.create(storage, { size: 2 ** 20, clusterSize: 4096 });
  disk.write(new TextEncoder().encode(text), offset);
  disk.close();
  return storage.toUint8Array();
}

test("the commands of the command line work, one after the other", () => {
  const blocks = examples("On the command line", "sh");
  // The benchmark has tests of its own, and takes its time.
  const script = blocks.join("").replace(/^parablock bench$/m, "parablock help bench");
  const { status, stdout, stderr } = installation.run("bash", "-euo", "pipefail", "-c", script);
  expect(stderr).toBe("");
  expect(status, stdout).toBe(0);
});
