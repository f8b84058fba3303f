import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/create.js";
import { NO_HOST_CLUSTER } from "../../src/engine/engine.js";
import { mapAll, usedRanges } from "./naive.js";

describe.each(["wasm", "js"] as const)("a BAT that grows in %s", (kind) => {
  function filled(entryCount: number) {
    const engine = createEngine(kind, entryCount, 1);
    engine.scan({ origin: 10, lastEntry: 0, hostLimit: 2 ** 31 });
    for (let cluster = 0; cluster < entryCount; cluster++) engine.link(cluster, engine.allocate(1, NO_HOST_CLUSTER), 1);
    return engine;
  }

  it.each([1, 2, 63, 64, 65, 1000, 100_000])("by %i keeps its entries, its clusters and its counts", (more) => {
    // Many capacities of the bitmap behind it: shorter and longer than the way that it moves.
    for (const highest of [77, 5000, 300_000, 20_000_000]) {
      const engine = filled(77);
      engine.reserve(highest, 3);
      const before = [usedRanges(engine), engine.usedCount, engine.end, engine.allocatedCount, engine.origin];
      engine.grow(77 + more);
      expect([usedRanges(engine), engine.usedCount, engine.end, engine.allocatedCount, engine.origin]).toEqual(before);
      expect([engine.entryCount, engine.bat.length, engine.batBytes.length]).toEqual([
        77 + more,
        77 + more,
        308 + 4 * more,
      ]);
      expect(mapAll(engine, 0, 77 + more)).toEqual([
        [77, 10],
        [more, 0],
      ]);
      expect(engine.countFragments()).toBe(0);
      expect(engine.allocate(1, NO_HOST_CLUSTER)).toBe(highest === 77 ? 80 : 77);
    }
  });

  it("works on with its new entries, and with more host clusters than before", () => {
    const engine = filled(1000);
    engine.grow(1001);
    engine.link(1000, engine.allocate(1, 1000), 1);
    engine.reserve(1_000_000, 1);
    engine.grow(200_000);
    engine.link(199_999, engine.allocate(1, NO_HOST_CLUSTER), 1);
    expect([engine.allocatedCount, engine.bat[1000], engine.bat[199_999]]).toEqual([1002, 1010, 1011]);
    expect(usedRanges(engine)).toEqual([
      [0, 1002],
      [1_000_000, 1_000_001],
    ]);
    const facts = engine.scan({ origin: 10, lastEntry: 2000, hostLimit: 2 ** 31 });
    expect([facts.allocated, facts.end, engine.usedCount]).toEqual([1002, 1002, 1002]);
  });

  it("to the length that it has changes nothing", () => {
    const engine = filled(64);
    engine.grow(64);
    expect([engine.entryCount, engine.usedCount, mapAll(engine, 0, 64)]).toEqual([64, 64, [[64, 10]]]);
  });

  it("takes its first entries", () => {
    const engine = createEngine(kind, 0, 1);
    engine.scan({ origin: 1, lastEntry: 0, hostLimit: 100 });
    expect(engine.countFragments()).toBe(0);
    engine.grow(3);
    engine.link(0, 2, 1);
    engine.link(1, 1, 1);
    expect([engine.countFragments(), [...engine.bat]]).toEqual([1, [3, 2, 0]]);
  });
});
