/** Disks in OPFS: starts a browser, and has a worker there measure. */
import { browserNeeds, launchBrowser, startWorker } from "../test/browser/browser.js";
import { startSite } from "../test/browser/site.js";
import { rowOf } from "./io.js";
import type { Answer, Question } from "./question.js";

const SIZE = 64 * 2 ** 20;

export const opfs: Question = {
  name: "opfs",
  title: "The disk in OPFS, in a worker, beside the same calls on the file's access handle; 64 MiB, nothing is flushed",
  bound: "each call of an access handle goes through the browser: the bare handle is the ceiling.",
  main: ["random read, 4 KiB, sync", "random write, 4 KiB, sync"],
  async run({ quick }) {
    const skipped = browserNeeds.filter(({ present }) => !present).map(({ name }) => name);
    return skipped.length > 0 ? { rows: [], skipped } : await measureInBrowser(quick);
  },
};

async function measureInBrowser(quick: boolean): Promise<Answer> {
  const site = await startSite({ scripts: { opfs: "bench/opfs-worker.ts" } });
  try {
    const { context, open, close } = await launchBrowser();
    try {
      const worker = await startWorker(await open(site.origin), "/opfs.js");
      // Many short rounds: most are over before a busy machine disturbs one of them.
      const options = { rounds: quick ? 31 : 121, milliseconds: 16 };
      const rows = await worker.evaluate(([size, options]) => benchOpfs(size, options), [SIZE, options] as const);
      const peers = { Chromium: context.browser()?.version() ?? "of an unknown version" };
      return { rows: rows.map((row) => ({ ...rowOf(row, "access handle"), target: 0.97 })), peers };
    } finally {
      await close();
    }
  } finally {
    await site.close();
  }
}
