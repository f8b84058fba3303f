/** The benchmark of OPFS: starts a browser, has a worker there measure, and answers its rows. */

import type { IoRow } from "../src/measure/io.js";
import { browserNeeds, launchBrowser, startWorker } from "../test/browser/browser.js";
import { startSite } from "../test/browser/site.js";

export interface BrowserRows {
  /** Its name and version. */
  browser: string;
  rows: IoRow[];
}

const SIZE = 64 * 2 ** 20;

/** @throws Error where there is no browser */
export async function benchBrowser({ quick = false } = {}): Promise<BrowserRows> {
  const missing = browserNeeds.filter(({ present }) => !present).map(({ name }) => name);
  if (missing.length > 0) throw new Error(`${missing.join(", ")} missing: install what is needed`);
  const site = await startSite({ scripts: { opfs: "bench/opfs.ts" } });
  try {
    const { context, open, close } = await launchBrowser();
    try {
      const worker = await startWorker(await open(site.origin), "/opfs.js");
      // Many short rounds: most are over before a busy machine disturbs one of them.
      const options = { rounds: quick ? 31 : 121, milliseconds: 16 };
      const rows = await worker.evaluate(([size, options]) => benchOpfs(size, options), [SIZE, options] as const);
      return { browser: `Chromium ${context.browser()?.version() ?? ""}`.trim(), rows };
    } finally {
      await close();
    }
  } finally {
    await site.close();
  }
}
