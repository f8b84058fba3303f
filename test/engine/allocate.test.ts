import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/create.js";
import { NO_HOST_CLUSTER } from "../../src/engine/engine.js";
import { runs } from "../support/runs.js";
import { rangesOf, usedRanges } from "./naive.js";

type Step =
  | { verb: "allocate"; count: number; goal: number }
  | { verb: "reserve" | "release"; first: number; count: number };

const NO_GOAL = NO_HOST_CLUSTER;

describe.each(["wasm", "js"] as const)("allocation in %s", (kind) => {
  function emptyEngine(hostLimit: number) {
    const engine = createEngine(kind, 16, 1);
    engine.scan({ origin: 1, lastEntry: 0, hostLimit });
    return engine;
  }

  it("starts at the first host cluster and goes on behind the last", () => {
    const engine = emptyEngine(100);
    expect([engine.allocate(3, NO_GOAL), engine.allocatedRun]).toEqual([0, 3]);
    expect([engine.allocate(2, 3), engine.allocatedRun]).toEqual([3, 2]);
    expect([engine.usedCount, engine.end]).toEqual([5, 5]);
  });

  it("takes the goal where it is free and below the end, else the lowest free cluster", () => {
    const engine = emptyEngine(100);
    engine.reserve(0, 10);
    engine.release(2, 1);
    engine.release(6, 2);
    expect(engine.allocate(1, 7)).toBe(7);
    expect(engine.allocate(1, 50)).toBe(2);
    expect(engine.allocate(1, 9)).toBe(6);
    expect(engine.allocate(1, NO_GOAL)).toBe(10);
  });

  it("gives nothing out below the floor, whatever is free there", () => {
    const engine = createEngine(kind, 16, 1);
    engine.scan({ origin: 1, lastEntry: 0, hostLimit: 100, floor: 20 });
    engine.reserve(0, 30);
    engine.release(10, 12);
    expect([engine.allocate(5, NO_GOAL), engine.allocatedRun]).toEqual([20, 2]);
    expect([engine.allocate(1, 15), engine.allocate(1, NO_GOAL), engine.end]).toEqual([30, 31, 32]);
    expect([engine.nextFree(0), engine.nextUsed(10)]).toEqual([10, 20]);
    engine.scan({ origin: 1, lastEntry: 0, hostLimit: 100, floor: 100 });
    expect(engine.allocate(1, NO_GOAL)).toBe(NO_HOST_CLUSTER);
    engine.scan({ origin: 1, lastEntry: 0, hostLimit: 100 });
    expect(engine.allocate(1, NO_GOAL)).toBe(0);
  });

  it("cuts a run at the next used cluster and at the limit", () => {
    const engine = emptyEngine(100);
    engine.reserve(5, 1);
    expect([engine.allocate(20, NO_GOAL), engine.allocatedRun]).toEqual([0, 5]);
    expect([engine.allocate(200, NO_GOAL), engine.allocatedRun]).toEqual([6, 94]);
    expect([engine.allocate(1, NO_GOAL), engine.allocatedRun]).toEqual([NO_HOST_CLUSTER, 0]);
    expect([engine.allocate(1, 3), engine.usedCount, engine.end]).toEqual([NO_HOST_CLUSTER, 100, 100]);
  });

  it("has nothing to give before the first scan", () => {
    const engine = createEngine(kind, 16, 1);
    expect(engine.allocate(1, NO_GOAL)).toBe(NO_HOST_CLUSTER);
  });

  it("says how many reserved clusters were in use already", () => {
    const engine = emptyEngine(1000);
    expect(engine.reserve(10, 100)).toBe(0);
    expect(engine.reserve(0, 64)).toBe(54);
    expect(engine.reserve(5, 0)).toBe(0);
    expect(engine.usedCount).toBe(110);
  });

  it("grows its bitmap past any capacity and keeps what is in it", () => {
    const engine = emptyEngine(0xffffffff);
    engine.bat[3] = 77;
    engine.reserve(7, 1);
    for (const first of [4095, 8191, 100_000, 5_000_000, 123_456_789]) engine.reserve(first, 3);
    expect(usedRanges(engine).map(([from]) => from)).toEqual([7, 4095, 8191, 100_000, 5_000_000, 123_456_789]);
    expect([engine.usedCount, engine.end]).toEqual([16, 123_456_792]);
    expect([engine.bat[3], engine.bat.length, engine.batBytes.length]).toEqual([77, 16, 64]);
    engine.release(100, 200_000_000);
    expect(usedRanges(engine)).toEqual([[7, 8]]);
  });

  it("knows that clusters beyond the bitmap are free", () => {
    const engine = emptyEngine(0xffffffff);
    engine.reserve(0, 4096);
    expect([engine.nextFree(0), engine.nextFree(4096), engine.nextFree(0xfffffffe)]).toEqual([4096, 4096, 0xfffffffe]);
    expect([engine.nextUsed(4096), engine.nextUsed(0xfffffffe)]).toEqual([4096, 4096]);
    engine.release(4000, 1_000_000);
    expect([engine.end, engine.usedCount]).toEqual([4000, 4000]);
  });

  it("finds the cluster behind a bitmap that is full to its last bit", () => {
    for (let clusters = 1024; clusters <= 2 ** 24; clusters *= 2) {
      const engine = emptyEngine(0xffffffff);
      engine.reserve(0, clusters);
      expect(engine.nextFree(0)).toBe(clusters);
      engine.release(clusters >> 1, 1);
      expect(engine.nextFree(0)).toBe(clusters >> 1);
      expect([engine.allocate(2, NO_GOAL), engine.allocate(1, NO_GOAL)]).toEqual([clusters >> 1, clusters]);
    }
  });

  it("follows a plain set of clusters through any history", () => {
    const limit = 70_000;
    const first = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: limit - 1 }));
    const count = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 9000 }));
    const history = fc.array<Step>(
      fc.oneof(
        fc.record({ verb: fc.constant("allocate" as const), count, goal: fc.oneof(first, fc.constant(NO_GOAL)) }),
        fc.record({ verb: fc.constantFrom("reserve" as const, "release" as const), first, count }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(history, (steps) => {
        const engine = emptyEngine(limit);
        const used = new Set<number>();
        for (const step of steps) {
          takeStep(engine, used, step, limit);
          expect(usedRanges(engine)).toEqual(rangesOf(used));
          expect(engine.usedCount).toBe(used.size);
          expect(engine.end).toBe(rangesOf(used).at(-1)?.[1] ?? 0);
        }
      }),
      runs(150),
    );
  });
});

function takeStep(engine: ReturnType<typeof createEngine>, used: Set<number>, step: Step, limit: number): void {
  if (step.verb === "allocate") {
    const expected = expectedRun(used, step.count, step.goal, limit);
    expect([engine.allocate(step.count, step.goal), engine.allocatedRun]).toEqual([expected.first, expected.run]);
    for (let index = 0; index < expected.run; index++) used.add(expected.first + index);
    return;
  }
  const to = Math.min(step.first + step.count, limit);
  const before = used.size;
  for (let host = step.first; host < to; host++) step.verb === "reserve" ? used.add(host) : used.delete(host);
  const already = to - step.first - (used.size - before);
  if (step.verb === "reserve") expect(engine.reserve(step.first, to - step.first)).toBe(already);
  else engine.release(step.first, to - step.first);
}

function expectedRun(used: Set<number>, count: number, goal: number, limit: number): { first: number; run: number } {
  const end = rangesOf(used).at(-1)?.[1] ?? 0;
  let first = goal;
  if (goal >= end || used.has(goal)) {
    first = 0;
    while (used.has(first)) first++;
  }
  if (first >= limit) return { first: NO_HOST_CLUSTER, run: 0 };
  let run = 1;
  while (run < count && first + run < limit && !used.has(first + run)) run++;
  return { first, run };
}
