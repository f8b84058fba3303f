/** A tab's process dies, the machine lives: what its guest wrote to OPFS reads as a prefix. */
import type { Page, Worker } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../support/peers.js";
import { below, randomFrom } from "../support/random.js";
import { orderProblem, slotOf } from "../support/records.js";
import { runs, sampled } from "../support/runs.js";
import { browserNeeds, launchBrowser, startWorker, type TestBrowser } from "./browser.js";
import type { How } from "./recorder.js";
import { type Site, startSite } from "./site.js";

const SLOTS = 256;
const KILLS = runs(3, 1).numRuns;

let site: Site;
let browser: TestBrowser;

describeWith(browserNeeds, "Records of a guest whose tab is killed", () => {
  beforeAll(async () => {
    site = await startSite({ scripts: { recorder: "test/browser/recorder.ts" } });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it.each<How>(sampled(["alone", "based", "v86", "v86 based"], 4))(
    "are a prefix of those it wrote (%s)",
    async (how) => {
      const seed = runs(1).seed ?? below(Math.random, 2 ** 31);
      const random = randomFrom(seed);
      let newest = 0;
      for (let kill = 1; kill <= KILLS; kill++) {
        await inTab((worker) => worker.evaluate((how) => recorder.create(how), how));
        let before = await inTab((worker) => worker.evaluate((how) => recorder.read(how), how));
        // The next one goes on where the one before was killed: it takes an image over that was not closed.
        for (const life of [1, 2]) {
          const first = 1000 * kill + 100_000 * life;
          await inTab(async (worker, page) => {
            void worker
              .evaluate(([how, seed, first]) => recorder.write(how, seed, first), [how, seed, first] as const)
              .catch(() => {});
            await new Promise((resolve) => setTimeout(resolve, 30 + below(random, 300)));
            await crash(page);
          });
          const found = await inTab((worker) => worker.evaluate((how) => recorder.read(how), how));
          newest = Math.max(newest, ...found.filter((number) => number >= first));
          expect(
            orderProblem(found, before, upTo(Math.max(first - 1, ...found), first, seed)),
            `seed ${seed}, kill ${kill}`,
          ).toBeUndefined();
          before = found;
        }
      }
      expect(newest).toBeGreaterThan(100_000); // something was written that survived
    },
  );
});

/** One record was written after the other: those up to the newest that is there were done, one more may have been in flight. */
function upTo(newest: number, first: number, seed: number) {
  const done = Array.from({ length: newest - first + 1 }, (_, index) => first + index);
  return { done, begun: [...done, newest + 1].map((number) => ({ number, slot: slotOf(seed, number, SLOTS) })) };
}

async function inTab<T>(work: (worker: Worker, page: Page) => Promise<T>): Promise<T> {
  const page = await browser.open(`${site.origin}/`);
  try {
    return await work(await startWorker(page, "/recorder.js"), page);
  } finally {
    await page.close();
  }
}

/** Ends the renderer, with all threads in it, as a lack of memory would. */
async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => {});
  await crashed;
}
