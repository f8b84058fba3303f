import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/create.js";
import { runs } from "../support/runs.js";
import { mapAll, naiveRuns, steps, tables } from "./naive.js";

const WIDE = { origin: 1, lastEntry: 5000, hostLimit: 5000 };

describe.each(["wasm", "js"] as const)("map in %s", (kind) => {
  function engineOf(bat: ArrayLike<number>, step: number) {
    const engine = createEngine(kind, bat.length, step);
    engine.bat.set(bat);
    engine.scan(WIDE);
    return engine;
  }

  it("maps a table that was never filled as one unallocated run", () => {
    expect(mapAll(createEngine(kind, 1000, 1), 0, 1000)).toEqual([[1000, 0]]);
  });

  it("maps nothing when asked for nothing", () => {
    expect(createEngine(kind, 10, 1).map(3, 0)).toBe(0);
  });

  it("tells runs of data and of nothing apart", () => {
    const engine = engineOf([0, 0, 10, 11, 12, 0, 13, 20, 21], 1);
    expect(mapAll(engine, 0, 9)).toEqual([
      [2, 0],
      [3, 10],
      [1, 0],
      [1, 13],
      [2, 20],
    ]);
  });

  it("begins a run at an entry of one step after a zero", () => {
    expect(mapAll(engineOf([0, 63, 126], 63), 0, 3)).toEqual([
      [1, 0],
      [2, 63],
    ]);
  });

  it("ends a run where the next entry follows only by wrapping around", () => {
    expect(mapAll(engineOf([0xffffffff, 0, 0, 0xffffffff, 0], 1), 0, 5)).toEqual([
      [1, 0xffffffff],
      [2, 0],
      [1, 0xffffffff],
      [1, 0],
    ]);
    expect(mapAll(engineOf([0xffffffff, 1, 3], 2), 0, 3)).toEqual([
      [1, 0xffffffff],
      [2, 1],
    ]);
  });

  it("ends a linked run before an entry that follows only by wrapping around", () => {
    const bat = Array.from({ length: 100 }, (_, index) => (index < 50 ? 0 : 1 + (index - 50) * 2));
    const engine = createEngine(kind, bat.length, 2);
    engine.bat.set(bat);
    engine.scan({ origin: 1, lastEntry: 101, hostLimit: 0x7fffffff });
    engine.link(40, 0x7fffffff - 9, 10);
    expect(mapAll(engine, 0, 100)).toEqual([
      [40, 0],
      [10, 0xffffffff - 18],
      [50, 1],
    ]);
  });

  it("maps any range of any table into the maximal runs", () => {
    const cases = steps.chain((step) =>
      fc.record({ step: fc.constant(step), bat: tables(step, 100), from: fc.nat(), count: fc.nat() }),
    );
    fc.assert(
      fc.property(cases, ({ step, bat, from, count }) => {
        const engine = engineOf(bat, step);
        const first = from % (bat.length + 1);
        const length = count % (bat.length - first + 1);
        expect(mapAll(engine, first, length)).toEqual(naiveRuns(bat, first, length, step));
        expect(mapAll(engine, 0, bat.length)).toEqual(naiveRuns(bat, 0, bat.length, step));
      }),
      runs(500),
    );
  });

  it("places every break right, wherever it lies in a block of lanes", () => {
    for (let length = 1; length <= 140; length++) {
      const bat = Array.from({ length }, (_, index) => 1000 + index);
      const engine = engineOf(bat, 1);
      for (let at = 0; at < length; at++) {
        engine.bat[at] = 5;
        expect(mapAll(engine, 0, length)).toEqual(naiveRuns(engine.bat, 0, length, 1));
        engine.bat[at] = bat[at];
      }
    }
  });

  it("fills the table, stops, and goes on from there", () => {
    const bat = Uint32Array.from({ length: 10_000 }, (_, index) => ((index * 7919) % 5000) + 1);
    const engine = engineOf(bat, 1);
    const { extentCapacity } = engine;
    expect(engine.map(0, 10_000)).toBe(extentCapacity);
    expect(engine.extents.length).toBe(extentCapacity * 2);
    expect(mapAll(engine, 0, 10_000)).toEqual(naiveRuns(bat, 0, 10_000, 1));
    for (const length of [extentCapacity - 1, extentCapacity, extentCapacity + 1]) {
      expect(engine.map(0, length)).toBe(Math.min(length, extentCapacity));
      expect(mapAll(engine, 0, length)).toEqual(naiveRuns(bat, 0, length, 1));
    }
  });

  it("writes nothing beside a table that fills out of step with the blocks of lanes", () => {
    const bat = Uint32Array.from({ length: 4000 }, (_, index) =>
      index < 40 ? index + 1 : ((index * 7919) % 5000) + 100,
    );
    const engine = engineOf(bat, 1);
    expect(engine.map(0, 4000)).toBe(engine.extentCapacity);
    expect(engine.bat).toEqual(bat);
    expect(mapAll(engine, 0, 4000)).toEqual(naiveRuns(bat, 0, 4000, 1));
  });

  it("ends the last extent of a full table where its run ends", () => {
    const entries = Array.from({ length: 1024 * 2 }, (_, index) => [((index * 7919) % 5000) + 10_000, 0, 0, 0]).flat();
    const engine = engineOf(entries, 1);
    const length = engine.map(0, entries.length);
    expect(length).toBe(engine.extentCapacity);
    expect(engine.extents.slice(-2)).toEqual(new Uint32Array([3, 0]));
  });
});
