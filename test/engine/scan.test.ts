import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/create.js";
import type { Grid } from "../../src/engine/engine.js";
import { runs } from "../support/runs.js";
import { grids, naiveFragments, naiveScan, rangesOf, steps, tables, usedRanges } from "./naive.js";

const NO_FAULTS = { below: 0, outside: 0, offGrid: 0, duplicates: 0 };

describe.each(["wasm", "js"] as const)("scan in %s", (kind) => {
  function scanned(bat: number[], step: number, grid: Grid) {
    const engine = createEngine(kind, bat.length, step);
    engine.bat.set(bat);
    return { engine, facts: engine.scan(grid) };
  }

  it("finds no fault in a contiguous table and marks exactly its clusters", () => {
    const bat = Array.from({ length: 300 }, (_, index) => 2048 + index * 63);
    const { engine, facts } = scanned(bat, 63, { origin: 2048, lastEntry: 2048 + 299 * 63, hostLimit: 10000 });
    expect(facts).toEqual({ ...NO_FAULTS, allocated: 300, end: 300 });
    expect(usedRanges(engine)).toEqual([[0, 300]]);
    expect([engine.usedCount, engine.end, engine.origin]).toEqual([300, 300, 2048]);
  });

  it("finds nothing in an empty table", () => {
    const { engine, facts } = scanned(new Array(500).fill(0), 1, { origin: 1, lastEntry: 0, hostLimit: 100 });
    expect(facts).toEqual({ ...NO_FAULTS, allocated: 0, end: 0 });
    expect([engine.nextFree(0), engine.nextUsed(0), engine.end]).toEqual([0, 0, 0]);
  });

  it("accepts a table without entries", () => {
    const { facts } = scanned([], 1, { origin: 1, lastEntry: 9, hostLimit: 100 });
    expect(facts).toEqual({ ...NO_FAULTS, allocated: 0, end: 0 });
  });

  it("counts each bad entry under its first fault", () => {
    const bat = [5, 10, 20, 30, 20, 31, 300, 9, 100];
    const { engine, facts } = scanned(bat, 10, { origin: 10, lastEntry: 100, hostLimit: 50 });
    expect(facts).toEqual({
      allocated: 9,
      end: 10,
      below: 2,
      outside: 1,
      offGrid: 1,
      duplicates: 1,
    });
    expect(engine.countFragments()).toBe(6);
    expect(usedRanges(engine)).toEqual([
      [0, 3],
      [9, 10],
    ]);
  });

  it("splits a run that starts below the data area and ends outside the file", () => {
    const bat = Array.from({ length: 200 }, (_, index) => 1 + index);
    const { engine, facts } = scanned(bat, 1, { origin: 50, lastEntry: 149, hostLimit: 1000 });
    expect(facts).toEqual({ ...NO_FAULTS, allocated: 200, end: 100, below: 49, outside: 51 });
    expect(usedRanges(engine)).toEqual([[0, 100]]);
  });

  it("does not take an entry that follows by wrapping around for a follower", () => {
    const bat = [0xfffffffe, 0xffffffff, 0, 0, 1, 2];
    const { engine, facts } = scanned(bat, 1, { origin: 1, lastEntry: 5, hostLimit: 10 });
    expect(facts).toEqual({ ...NO_FAULTS, allocated: 4, end: 2, outside: 2 });
    expect(usedRanges(engine)).toEqual([[0, 2]]);
  });

  it("takes no memory for entries outside the file", () => {
    const bat = [0xffffffff, 0x80000000, 1, 0xfffffff0, 3];
    const { engine, facts } = scanned(bat, 1, { origin: 1, lastEntry: 4, hostLimit: 0xfffffffe });
    expect(facts.outside).toBe(3);
    expect(engine.bat.buffer.byteLength).toBeLessThan(2 ** 18);
  });

  it("reaches the highest entry there is", () => {
    const { engine, facts } = scanned([0xffffffff, 63], 63, { origin: 63, lastEntry: 0xffffffff, hostLimit: 68174084 });
    const highest = (0xffffffff - 63) / 63;
    expect(Number.isInteger(highest)).toBe(false);
    expect(facts).toEqual({ ...NO_FAULTS, allocated: 2, end: 1, offGrid: 1 });
    expect(engine.countFragments()).toBe(1);
    expect(usedRanges(engine)).toEqual([[0, 1]]);
  });

  it("agrees with an entry-by-entry count on any table", () => {
    const cases = steps.chain((step) =>
      grids(step).chain((grid) =>
        fc.record({ step: fc.constant(step), grid: fc.constant(grid), bat: tables(step, grid.origin) }),
      ),
    );
    fc.assert(
      fc.property(cases, ({ step, grid, bat }) => {
        const naive = naiveScan(bat, step, grid);
        const { engine, facts } = scanned(bat, step, grid);
        expect(facts).toEqual(naive.facts);
        expect(engine.countFragments()).toBe(naiveFragments(bat, step));
        expect(usedRanges(engine)).toEqual(rangesOf(naive.used));
        expect(engine.usedCount).toBe(naive.used.size);
        expect(engine.end).toBe(naive.facts.end);
        expect(engine.allocatedCount).toBe(naive.facts.allocated);
      }),
      runs(500),
    );
  });

  it("forgets the scan before: clusters and counts", () => {
    const { engine } = scanned([1, 2, 9000, 4], 1, { origin: 1, lastEntry: 10000, hostLimit: 20000 });
    engine.link(1, 7, 1);
    engine.bat.set([0, 0, 3, 0]);
    const facts = engine.scan({ origin: 2, lastEntry: 10, hostLimit: 20 });
    expect(facts).toEqual({ ...NO_FAULTS, allocated: 1, end: 2 });
    expect(usedRanges(engine)).toEqual([[1, 2]]);
    expect([engine.allocatedCount, engine.usedCount]).toEqual([1, 1]);
  });
});
