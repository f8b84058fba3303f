/** The contract suite of the storages, in a browser: every case is registered here and runs there, in a worker. */
import type { Worker } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { diskCases, storageCases } from "../storage/contract.js";
import { casesOf } from "../storage/folder-contract.js";
import { engines } from "../support/faces.js";
import { describeWith } from "../support/peers.js";
import { thorough } from "../support/runs.js";
import { browserNeeds, launchBrowser, startWorker, type TestBrowser } from "./browser.js";
import { folderKits, kits } from "./kits.js";
import { type Site, startSite } from "./site.js";

let site: Site;
let browser: TestBrowser;
let worker: Worker;

describeWith(browserNeeds, "In a browser", () => {
  beforeAll(async () => {
    site = await startSite({ scripts: { kits: "test/browser/kits.ts" } });
    browser = await launchBrowser();
    worker = await startWorker(await browser.open(site.origin), "/kits.js");
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  for (const kit of folderKits) {
    for (const [index, { title }] of casesOf(kit).entries())
      it(`${kit.name} ${title}`, () =>
        worker.evaluate(([name, index]) => suite.runFolderCase(name, index), [kit.name, index] as const));
  }

  for (const { name, readOnly, faces, slow } of kits) {
    for (const [index, { title, writes }] of storageCases.entries()) {
      if (writes && readOnly) continue;
      it(`${name} ${title}`, () =>
        worker.evaluate(([name, index]) => suite.runStorageCase(name, index), [name, index] as const));
    }
    for (const [index, { title, writes }] of slow && !thorough ? [] : diskCases.entries()) {
      if (writes && readOnly) continue;
      for (const face of faces) {
        for (const engine of engines) {
          it(`${name} carries a disk that ${title} (${face} face, ${engine} engine)`, () =>
            worker.evaluate((args) => suite.runDiskCase(...args), [name, index, face, engine] as const));
        }
      }
    }
  }
});
