/** Long work of the asynchronous face lets go of the thread, so that timers, signals and frames come in between. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Operation } from "../../src/operation.js";
import { runAsync } from "../../src/run.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { engines, openDisk } from "../support/faces.js";
import { makeImage } from "../support/image.js";

/** More steps than any work has that ends by itself soon; without turns they are all made. */
const STEPS = 3_000_000;

function* stepsUntil(done: () => boolean): Operation<number> {
  for (let step = 0; step < STEPS; step++) {
    if (done()) return step;
    yield () => undefined;
  }
  return STEPS;
}

/** Every way in which a turn may come, by what a platform lacks. */
const platforms = [
  { name: "a platform with setImmediate", missing: [] },
  { name: "a page or a worker", missing: ["setImmediate"] },
  { name: "a platform with nothing but timers", missing: ["setImmediate", "MessageChannel"] },
];

describe("The asynchronous runner", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it.each(platforms)("lets timers come on $name", async ({ missing }) => {
    for (const name of missing) vi.stubGlobal(name, undefined);
    for (let round = 0; round < 3; round++) {
      let fired = false;
      setTimeout(() => {
        fired = true;
      });
      const steps = await runAsync(stepsUntil(() => fired));
      expect(steps, "no timer fired").toBeLessThan(STEPS);
    }
  });

  it("lets timers come between operations that are short each, and many", async () => {
    let fired = false;
    setTimeout(() => {
      fired = true;
    });
    let operations = 0;
    while (!fired && operations++ < STEPS) await runAsync(oneStep());
    expect(operations, "no timer fired").toBeLessThan(STEPS);
  });
});

function* oneStep(): Operation<void> {
  yield () => undefined;
}

describe.each(engines)("Checks with the %s engine", (engine) => {
  it("that look at many free clusters in memory let timers come", async () => {
    const everySecond = Array.from({ length: 10_000 }, (_, guest) => 2 * guest);
    const storage = new MemoryStorage(makeImage({ format: "v2", tracks: 1, hosts: everySecond }));
    const disk = await openDisk("async", storage, { readOnly: true, engine });
    let fired = false;
    setImmediate(() => {
      fired = true;
    });
    for (let check = 0; check < 100 && !fired; check++) await disk.check();
    expect(fired, "no turn in a hundred checks").toBe(true);
    await disk.close();
  });
});
