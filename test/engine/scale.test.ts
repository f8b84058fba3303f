/** Sizes at which anything quadratic would run for hours. */

import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/create.js";
import { NO_HOST_CLUSTER } from "../../src/engine/engine.js";

const ENTRIES = 2 ** 20;
const GRID = { origin: 1, lastEntry: ENTRIES, hostLimit: 2 * ENTRIES };

describe.each(["wasm", "js"] as const)("a million clusters in %s", { timeout: 60_000 }, (kind) => {
  const orders: Record<string, (index: number) => number> = {
    contiguous: (index) => index,
    reversed: (index) => ENTRIES - 1 - index,
    shuffled: (index) => (index * 611_953) % ENTRIES,
    "twice over": (index) => index % (ENTRIES / 2),
    "all the same": () => ENTRIES - 1,
    "from both ends": (index) => (index % 2 ? ENTRIES - 1 - (index >> 1) : index >> 1),
  };

  it.each(Object.keys(orders))("are scanned in one pass when %s", (name) => {
    const engine = createEngine(kind, ENTRIES, 1);
    const bat = engine.bat;
    for (let index = 0; index < ENTRIES; index++) bat[index] = 1 + orders[name](index);
    const facts = engine.scan(GRID);
    expect(facts.allocated).toBe(ENTRIES);
    expect(facts.duplicates + engine.usedCount).toBe(ENTRIES);
  });

  it("are allocated one by one, whatever was freed before", () => {
    const engine = createEngine(kind, 16, 1);
    engine.scan(GRID);
    engine.reserve(0, ENTRIES);
    for (let round = 0; round < 2; round++) {
      for (let host = 0; host < ENTRIES; host += 2) engine.release(host, 1);
      for (let host = 0; host < ENTRIES; host += 2) {
        if (engine.allocate(5, NO_HOST_CLUSTER) !== host) expect.fail(`${host} was the lowest free cluster`);
      }
    }
    expect(engine.allocate(1, NO_HOST_CLUSTER)).toBe(ENTRIES);
  });

  it("have their end found at once after the last of them is freed, again and again", () => {
    const engine = createEngine(kind, 16, 1);
    engine.scan({ ...GRID, hostLimit: 2 ** 28 });
    engine.reserve(0, 1);
    for (let round = 0; round < 100_000; round++) {
      engine.reserve(2 ** 28 - 1, 1);
      engine.release(2 ** 28 - 1, 1);
      if (engine.end !== 1 || engine.nextUsed(1) !== 1) expect.fail("the end is 1");
    }
  });
});
