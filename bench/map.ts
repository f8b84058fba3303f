/**
 * What WebAssembly buys: the engine's hot verbs in both implementations, most of them over a BAT of 1 Mi entries (a
 * terabyte in clusters of 1 MiB). `map` is called as often as its table fills up on the way through the BAT.
 */

import { createEngine, createOwners, createZeroScanner } from "../src/engine/create.js";
import type { Engine, ZeroScanner } from "../src/engine/engine.js";
import type { Owners } from "../src/engine/owners.js";
import { dirtyQuestions } from "./dirty.js";
import { type MeasureOptions, measure } from "./measure.js";
import { type KINDS, type Pair, pairOf, type Question, randomLengths, type Unit } from "./twins.js";

export interface MapRow {
  question: string;
  /** What the times are divided by. */
  unit: Unit;
  /** Nanoseconds per unit. */
  wasm: number;
  js: number;
  /** How many times faster WebAssembly is. */
  ratio: number;
}

export interface MapOptions extends MeasureOptions {
  /** BAT entries; default 1 Mi. */
  entryCount?: number;
  /** Is told of each finished row. */
  onRow?: (row: MapRow, done: number, total: number) => void;
}

const ZERO_BYTES = 2 ** 20;

type EntryAt = (index: number) => number;

export async function benchMap({ entryCount = 2 ** 20, onRow, ...options }: MapOptions = {}): Promise<MapRow[]> {
  const rows: MapRow[] = [];
  const asked = questions(entryCount);
  for (const [question, work, unit, units] of asked) {
    const { nanoseconds, ratio } = measure(work(), units, options);
    const row: MapRow = { question, unit, ...nanoseconds, ratio: ratio("wasm", "js") };
    rows.push(row);
    onRow?.(row, rows.length, asked.length);
    // Lets a page or a progress bar breathe between questions.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return rows;
}

function questions(count: number): Question[] {
  const tables: [string, EntryAt][] = [
    ["all contiguous", contiguous],
    ["empty", () => 0],
    ["runs of 8", runsOf(() => 8)],
    ["random runs of 1 to 16", runsOf(randomLengths(16))],
    ["every entry its own extent", shuffled(count)],
  ];
  return [
    ...tables.map(([name, entryAt]): Question => [`map, ${name}`, () => maps(count, entryAt), "entry", count]),
    ["map, 64 entries a call", () => shortMaps(count, 64), "entry", count],
    ["map, 4 entries a call", () => shortMaps(count, 4), "entry", count],
    ["map, 1 entry a call", () => shortMaps(count, 1), "entry", count],
    ["scan, all contiguous", () => scans(count, contiguous), "entry", count],
    ["scan, shuffled", () => scans(count, shuffled(count)), "entry", count],
    ["count fragments, shuffled", () => fragments(count), "entry", count],
    ["owners, a layer adopted, runs of 8", () => adoptions(count), "entry", count],
    ["owners, map, 64 clusters a call, runs of 1 to 16", () => ownerMaps(count), "entry", count],
    ["zero test of 1 MiB", zeroTests, "byte", ZERO_BYTES],
    ["release, allocate and link one cluster at a time", () => allocations(2 ** 16), "cluster", 2 ** 16],
    ...dirtyQuestions(),
  ];
}

function maps(count: number, entryAt: EntryAt): Pair<() => unknown> {
  return pairOf((kind) => {
    const engine = engineWith(kind, count, entryAt);
    const starts = callStarts(engine);
    return () => {
      for (const start of starts) engine.map(start, count - start);
    };
  });
}

function shortMaps(count: number, length: number): Pair<() => unknown> {
  return pairOf((kind) => {
    const engine = engineWith(kind, count, runsOf(randomLengths(16)));
    return () => {
      let extents = 0;
      for (let cluster = 0; cluster + length <= count; cluster += length) extents += engine.map(cluster, length);
      return extents;
    };
  });
}

function scans(count: number, entryAt: EntryAt): Pair<() => unknown> {
  return pairOf((kind) => {
    const engine = engineWith(kind, count, entryAt);
    return () => engine.scan({ origin: 1, lastEntry: count, hostLimit: count });
  });
}

function fragments(count: number): Pair<() => unknown> {
  return pairOf((kind) => {
    const engine = engineWith(kind, count, shuffled(count));
    return () => engine.countFragments();
  });
}

function adoptions(count: number): Pair<() => unknown> {
  return pairOf((kind) => {
    const owners = createOwners(kind, count);
    const bat = Uint32Array.from(
      { length: count },
      runsOf(() => 8),
    );
    return () => adopt(owners, 1, bat);
  });
}

/** Each run is held by some layer of a chain of 30. */
function ownerMaps(count: number): Pair<() => unknown> {
  return pairOf((kind) => {
    const owners = createOwners(kind, count);
    const nextLength = randomLengths(16);
    for (let first = 0; first < count; ) {
      const length = Math.min(nextLength(), count - first);
      owners.adoptPlain(nextLength() + nextLength() - 2, first, length);
      first += length;
    }
    return () => {
      let extents = 0;
      for (let cluster = 0; cluster < count; cluster += 64)
        extents += owners.map(cluster, Math.min(64, count - cluster));
      return extents;
    };
  });
}

function adopt(owners: Owners, layer: number, bat: Uint32Array): void {
  const { entries } = owners;
  for (let first = 0; first < bat.length; first += entries.length) {
    const piece = bat.subarray(first, first + entries.length);
    entries.set(piece);
    owners.adopt(layer, first, piece.length, { origin: 1, step: 1, lastEntry: 0xfffffffe });
  }
}

function zeroTests(): Pair<() => unknown> {
  return pairOf((kind) => {
    const scanner: ZeroScanner = createZeroScanner(kind, ZERO_BYTES);
    return () => scanner.isZero(0, ZERO_BYTES);
  });
}

/** Every second cluster of a full image is discarded; writes fill the holes again. */
function allocations(holes: number): Pair<() => unknown> {
  return pairOf((kind) => {
    const engine = createEngine(kind, holes, 1);
    engine.scan({ origin: 1, lastEntry: 0, hostLimit: holes * 2 });
    engine.reserve(0, holes * 2);
    return () => {
      for (let host = 0; host < holes * 2; host += 2) engine.release(host, 1);
      for (let cluster = 0; cluster < holes; cluster++) engine.link(cluster, engine.allocate(1, 0xffffffff), 1);
    };
  });
}

/** Where each call begins when the whole table is mapped: reckoned once, for adding up extents is not `map`. */
function callStarts(engine: Engine): number[] {
  const { entryCount, extents } = engine;
  const starts: number[] = [];
  for (let cluster = 0; cluster < entryCount; ) {
    starts.push(cluster);
    const length = engine.map(cluster, entryCount - cluster);
    for (let index = 0; index < length; index++) cluster += extents[index * 2];
  }
  return starts;
}

function engineWith(kind: (typeof KINDS)[number], count: number, entryAt: EntryAt): Engine {
  const engine = createEngine(kind, count, 1);
  for (let index = 0; index < count; index++) engine.bat[index] = entryAt(index);
  engine.scan({ origin: 1, lastEntry: count * 2, hostLimit: count * 2 });
  return engine;
}

function contiguous(index: number): number {
  return index + 1;
}

/** Odd multiples permute a power of two, and no two neighbours follow each other. */
function shuffled(count: number): EntryAt {
  return (index) => (Math.imul(index, 611_953) & (count - 1)) + 1;
}

/** Runs of data with one host cluster left out between them. */
function runsOf(nextLength: () => number): EntryAt {
  let left = nextLength();
  let entry = 0;
  return () => {
    if (left === 0) {
      left = nextLength();
      entry++;
    }
    left--;
    return ++entry;
  };
}
