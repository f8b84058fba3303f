/**
 * The engine's rules in the most obvious words, one entry and one cluster at a time, for the tests to hold
 * both implementations against; and the arbitraries of tables that are worth trying.
 */

import fc from "fast-check";
import type { Engine, Grid, ScanFacts } from "../../src/engine/engine.js";

export type Extent = [count: number, entry: number];

export function naiveRuns(bat: ArrayLike<number>, first: number, count: number, step: number): Extent[] {
  const runs: Extent[] = [];
  for (let cluster = first; cluster < first + count; cluster++) {
    const entry = bat[cluster];
    const last = runs.at(-1);
    const follower = last && (last[1] === 0 ? 0 : last[1] + last[0] * step);
    if (last && entry === follower) last[0]++;
    else runs.push([1, entry]);
  }
  return runs;
}

export function naiveScan(bat: ArrayLike<number>, step: number, grid: Grid): { facts: ScanFacts; used: Set<number> } {
  const facts = { allocated: 0, end: 0, below: 0, outside: 0, offGrid: 0, duplicates: 0 };
  const used = new Set<number>();
  for (let cluster = 0; cluster < bat.length; cluster++) {
    const entry = bat[cluster];
    if (entry === 0) continue;
    facts.allocated++;
    const host = (entry - grid.origin) / step;
    if (entry < grid.origin) facts.below++;
    else if (entry > grid.lastEntry) facts.outside++;
    else if (!Number.isInteger(host)) facts.offGrid++;
    else if (used.has(host)) facts.duplicates++;
    else used.add(host);
    if (used.has(host)) facts.end = Math.max(facts.end, host + 1);
  }
  return { facts, used };
}

export function naiveFragments(bat: ArrayLike<number>, step: number): number {
  let count = 0;
  for (let cluster = 1; cluster < bat.length; cluster++) {
    const [before, entry] = [bat[cluster - 1], bat[cluster]];
    if (before !== 0 && entry !== 0 && entry !== before + step) count++;
  }
  return count;
}

/** All runs of a range, with as many calls of `map` as it takes. */
export function mapAll(engine: Engine, first: number, count: number): Extent[] {
  const extents: Extent[] = [];
  for (let cluster = first; cluster < first + count; ) {
    const length = engine.map(cluster, first + count - cluster);
    for (let index = 0; index < length; index++) {
      extents.push([engine.extents[index * 2], engine.extents[index * 2 + 1]]);
      cluster += engine.extents[index * 2];
    }
  }
  return extents;
}

/** The used bitmap as ranges [from, to), read with nextUsed and nextFree. */
export function usedRanges(engine: Engine): Extent[] {
  const ranges: Extent[] = [];
  for (let from = engine.nextUsed(0); from < engine.end; ) {
    const to = engine.nextFree(from);
    ranges.push([from, to]);
    from = engine.nextUsed(to);
  }
  return ranges;
}

/** Ranges [from, to) of a set of clusters. */
export function rangesOf(used: Set<number>): Extent[] {
  const ranges: Extent[] = [];
  for (const cluster of [...used].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === cluster) last[1]++;
    else ranges.push([cluster, cluster + 1]);
  }
  return ranges;
}

/** v2 counts clusters; v1 counts sectors, and clusters of 63 sectors are real. */
export const steps = fc.constantFrom(1, 63, 128, 2048);

/** A grid whose file is small, huge, or has no cluster at all. */
export function grids(step: number): fc.Arbitrary<Grid> {
  const reach = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constant(step === 1 ? 100_000 : Infinity));
  const floors = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 50_000 }));
  const parts = fc.record({ origin: fc.integer({ min: 1, max: 5000 }), clusters: reach, floor: floors });
  return parts.map(({ origin, clusters, floor }) => {
    const lastEntry = clusters === 0 ? 0 : Math.min(0xffffffff, origin + (clusters - 1) * step + (step >> 1));
    return { origin, lastEntry, hostLimit: Math.floor((0xffffffff - origin) / step), floor };
  });
}

/** Tables made of zeros, runs on and off the grid, repeats, noise and the ends of the number range. */
export function tables(step: number, origin: number): fc.Arbitrary<number[]> {
  const length = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 150 }));
  const onGrid = fc.integer({ min: 0, max: 3000 }).map((host) => origin + host * step);
  const anywhere = fc.integer({ min: 1, max: 0xffffffff });
  const nearWrap = fc.integer({ min: 0, max: 200 }).map((clusters) => 0xffffffff - clusters * step);
  const aboutToBeZero = fc.integer({ min: 1, max: 200 }).map((clusters) => 2 ** 32 - clusters * step);
  const first = fc.oneof({ weight: 6, arbitrary: onGrid }, anywhere, nearWrap, aboutToBeZero, fc.constant(step));
  const rising = fc.record({ first, length }).map((run) => range(run.length, (index) => run.first + index * step));
  const zeros = length.map((count) => range(count, () => 0));
  const repeated = fc.record({ first, length }).map((run) => range(run.length, () => run.first));
  const noise = fc.array(fc.oneof(onGrid, anywhere, fc.constantFrom(0, 1, step, 0xffffffff)), { maxLength: 40 });
  const piece = fc.oneof({ weight: 4, arbitrary: rising }, { weight: 2, arbitrary: zeros }, repeated, noise);
  return fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.flat().map((entry) => entry % 2 ** 32));
}

function range(length: number, value: (index: number) => number): number[] {
  return Array.from({ length }, (_, index) => value(index));
}
