/**
 * What WebAssembly buys: the engine's hot verbs in both implementations, most of them over a BAT of 1 Mi entries (a
 * terabyte in clusters of 1 MiB). `map` is called as often as its table fills up on the way through the BAT.
 */

import { counted } from "../src/count.js";
import { createEngine, createZeroScanner } from "../src/engine/create.js";
import { createOwners } from "../src/engine/create-owners.js";
import type { Engine, ZeroScanner } from "../src/engine/engine.js";
import type { Owners } from "../src/engine/owners.js";
import { compare } from "../src/measure/compare.js";
import { repeated, type TurnOptions, takeTurns } from "../src/measure/turns.js";
import { dirtyWorks } from "./dirty.js";
import type { Question, Row } from "./question.js";
import { type KINDS, type Pair, pairOf, randomLengths, type TwinWork } from "./twins.js";

export interface EngineOptions extends TurnOptions {
  /** Is told of each finished row. */
  onRow?: (row: Row, done: number, total: number) => void;
}

/** BAT entries. */
const COUNT = 2 ** 20;

const ZERO_BYTES = 2 ** 20;

type EntryAt = (index: number) => number;

export const engine: Question = {
  name: "engine",
  title: "The engine: its verbs in WebAssembly (SIMD) beside the same in plain TypeScript; a BAT of 1 Mi entries",
  bound: "memory that is read once, and the call from JavaScript, some ten nanoseconds.",
  main: [
    "map, contiguous",
    "map, runs of 8",
    "map, every entry",
    "map, 4 entries a call",
    "scan, all contiguous",
    "zero test of 1 MiB",
  ],
  async run({ quick }) {
    return { rows: await benchEngine(quick ? { rounds: 5, milliseconds: 5 } : { rounds: 15, milliseconds: 20 }) };
  },
};

export async function benchEngine({ onRow, ...options }: EngineOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const asked = works(COUNT);
  for (const [what, work, unit, units, notes] of asked) {
    const { wasm, js } = work();
    const [own, other] = await takeTurns([repeated(wasm), repeated(js)], options);
    const row: Row = {
      what,
      against: "TypeScript",
      ...compare(own, other, 1000 / units),
      unit: `ns/${unit}`,
      ...notes,
    };
    rows.push(row);
    onRow?.(row, rows.length, asked.length);
    // Lets a page breathe between questions.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return rows;
}

function works(count: number): TwinWork[] {
  const tables: [name: string, EntryAt][] = [
    ["contiguous", contiguous],
    ["runs of 64", runsOf(() => 64)],
    ["runs of 8", runsOf(() => 8)],
    ["runs of 1 to 16", runsOf(randomLengths(16))],
    ["every entry", shuffled(count)],
  ];
  return [
    ["map, empty", () => maps(count, () => 0), "entry", count],
    ...tables.map(([at, entryAt]): TwinWork => {
      return [`map, ${at}`, () => maps(count, entryAt), "entry", count, { series: "map", at }];
    }),
    ...[64, 16, 8, 4, 2, 1].map((length): TwinWork => {
      const what = `map, ${counted(length, "entry", "entries")} a call`;
      return [what, () => shortMaps(count, length), "entry", count, length === 4 ? { target: 1 } : undefined];
    }),
    ["scan, all contiguous", () => scans(count, contiguous), "entry", count],
    ["scan, shuffled", () => scans(count, shuffled(count)), "entry", count],
    ["count fragments, shuffled", () => fragments(count), "entry", count],
    ["owners, a layer adopted, runs of 8", () => adoptions(count), "entry", count],
    ["owners, map, 64 clusters a call, runs of 1 to 16", () => ownerMaps(count), "entry", count],
    ["zero test of 1 MiB", zeroTests, "byte", ZERO_BYTES],
    ["release, allocate and link one cluster at a time", () => allocations(2 ** 16), "cluster", 2 ** 16],
    ...dirtyWorks(),
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
