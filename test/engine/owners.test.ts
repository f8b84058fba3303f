import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOwners } from "../../src/engine/create-owners.js";
import { BAD_PLACE, type LayerGrid, MAX_LAYER, type Owners } from "../../src/engine/owners.js";
import { runs } from "../support/runs.js";
import { grids, steps, tables } from "./naive.js";

/** What holds a cluster, in the most obvious words. */
type Owner = { layer: number; place: number } | undefined;
type Run = [count: number, place: number, layer: number];

const CLUSTERS = 700;
const WIDE: LayerGrid = { origin: 1, step: 1, lastEntry: 0xfffffffd };

/** A chain whose owners are known cluster by cluster. */
class NaiveOwners {
  owners: Owner[];

  constructor(clusterCount: number) {
    this.owners = new Array(clusterCount).fill(undefined);
  }

  adopt(layer: number, first: number, entries: readonly number[], grid: LayerGrid): number {
    let bad = 0;
    entries.forEach((entry, index) => {
      if (entry === 0) return;
      this.owners[first + index] = { layer, place: placeOf(entry, grid) };
      if (placeOf(entry, grid) === BAD_PLACE) bad++;
    });
    return bad;
  }

  relocate(layer: number, first: number, entries: readonly number[], grid: LayerGrid): number {
    let bad = 0;
    entries.forEach((entry, index) => {
      if (this.owners[first + index]?.layer !== layer) return;
      this.owners[first + index] = entry === 0 ? undefined : { layer, place: placeOf(entry, grid) };
      if (entry !== 0 && placeOf(entry, grid) === BAD_PLACE) bad++;
    });
    return bad;
  }

  merge(layer: number): void {
    for (const owner of this.owners) if (owner && owner.layer > layer) owner.layer--;
  }

  runs(first: number, count: number): Run[] {
    const found: Run[] = [];
    for (const owner of this.owners.slice(first, first + count)) {
      const { layer, place } = owner ?? { layer: 0, place: 0 };
      const last = found.at(-1);
      if (last && last[2] === layer && follows(last, place)) last[0]++;
      else found.push([1, place, layer]);
    }
    return found;
  }
}

function placeOf(entry: number, { origin, step, lastEntry }: LayerGrid): number {
  const host = (entry - origin) / step;
  return entry < origin || entry > lastEntry || !Number.isInteger(host) ? BAD_PLACE : host + 1;
}

function follows([count, place]: Run, next: number): boolean {
  if (place === 0 || place === BAD_PLACE || next === BAD_PLACE) return next === place;
  return next === place + count;
}

/** All runs of a range, with as many calls of `map` as it takes. */
function mapAll(owners: Owners, first: number, count: number): Run[] {
  const found: Run[] = [];
  for (let cluster = first; cluster < first + count; ) {
    const length = owners.map(cluster, first + count - cluster);
    for (let index = 0; index < length; index++) {
      const [clusters, place, layer] = owners.extents.subarray(index * 3, index * 3 + 3);
      found.push([clusters, place, layer]);
      cluster += clusters;
    }
  }
  return found;
}

function put(owners: Owners, entries: readonly number[]): number {
  owners.entries.set(entries);
  return entries.length;
}

function expectSame(owners: Owners, naive: NaiveOwners): void {
  expect([...owners.places]).toEqual(naive.owners.map((owner) => owner?.place ?? 0));
  expect([...owners.layers]).toEqual(naive.owners.map((owner) => owner?.layer ?? 0));
}

interface Verb {
  name: "adopt" | "adoptPlain" | "merge" | "relocate" | "relocatePlain" | "clear";
  layer: number;
  first: number;
  count: number;
  bat: number[];
  grid: LayerGrid;
}

const layers = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 5 }) },
  fc.constantFrom(MAX_LAYER, 32767, 32768),
);
const verbs: fc.Arbitrary<Verb> = fc.oneof(steps, fc.constantFrom(1, 3, 0x7fffffff)).chain((step) =>
  grids(step).chain((grid) =>
    fc.record({
      name: fc.constantFrom<Verb["name"][]>(
        "adopt",
        "adopt",
        "adopt",
        "adoptPlain",
        "merge",
        "relocate",
        "relocatePlain",
        "clear",
      ),
      layer: layers,
      first: fc.integer({ min: 0, max: CLUSTERS - 1 }),
      count: fc.integer({ min: 0, max: CLUSTERS }),
      bat: tables(step, grid.origin),
      grid: fc.constant({ ...grid, step }),
    }),
  ),
);

/** Does the verb in all three and compares what they answer. */
function run({ name, layer, first, count, bat, grid }: Verb, twins: readonly Owners[], naive: NaiveOwners): void {
  const limit = CLUSTERS - first;
  // Runs towards 2^32 by steps as long as these begin below 0.
  const entries = bat.slice(0, limit).map((entry) => entry >>> 0);
  const clusters = Math.min(count, limit);
  const plain = Array.from({ length: clusters }, (_, index) => first + index + 1);
  switch (name) {
    case "adopt": {
      const bad = naive.adopt(layer, first, entries, grid);
      for (const owners of twins) expect(owners.adopt(layer, first, put(owners, entries), grid)).toBe(bad);
      return;
    }
    case "relocate": {
      const bad = naive.relocate(layer, first, entries, grid);
      for (const owners of twins) expect(owners.relocate(layer, first, put(owners, entries), grid)).toBe(bad);
      return;
    }
    case "adoptPlain":
      naive.adopt(layer, first, plain, WIDE);
      for (const owners of twins) owners.adoptPlain(layer, first, clusters);
      return;
    case "relocatePlain":
      naive.relocate(layer, first, plain, WIDE);
      for (const owners of twins) owners.relocatePlain(layer, first, clusters);
      return;
    case "merge":
      naive.merge(layer);
      for (const owners of twins) owners.merge(layer);
      return;
    case "clear":
      naive.owners.fill(undefined);
      for (const owners of twins) owners.clear();
  }
}

describe("Owners of a chain in both engines", () => {
  it("are those of a list, cluster by cluster, after any history", () => {
    fc.assert(
      fc.property(fc.array(verbs, { minLength: 1, maxLength: 12 }), (history) => {
        const twins = [createOwners("wasm", CLUSTERS), createOwners("js", CLUSTERS)];
        const naive = new NaiveOwners(CLUSTERS);
        for (const verb of history) {
          run(verb, twins, naive);
          const [first, count] = [verb.first, Math.min(verb.count, CLUSTERS - verb.first)];
          const held = naive.owners.filter((owner) => owner?.layer === verb.layer).length;
          for (const owners of twins) {
            expectSame(owners, naive);
            expect(mapAll(owners, first, count)).toEqual(naive.runs(first, count));
            expect(owners.held(verb.layer)).toBe(held);
          }
        }
      }),
      runs(300, 100),
    );
  }, 60_000);
});

describe.each(["wasm", "js"] as const)("Owners in %s", (kind) => {
  function adopted(entries: readonly number[], grid = WIDE, layer = 1) {
    const owners = createOwners(kind, entries.length);
    const bad = owners.adopt(layer, 0, put(owners, entries), grid);
    return { owners, bad };
  }

  it("are nobody at first, in one run", () => {
    const owners = createOwners(kind, 1000);
    expect([owners.kind, owners.clusterCount, owners.fallback, owners.map(0, 0), owners.held(0)]).toEqual([
      kind,
      1000,
      undefined,
      0,
      0,
    ]);
    expect(mapAll(owners, 0, 1000)).toEqual([[1000, 0, 0]]);
    expect([owners.map(7, 1), ...owners.extents.subarray(0, 3)]).toEqual([1, 1, 0, 0]);
  });

  it("of a chain are the highest layers that hold something", () => {
    const owners = createOwners(kind, 8);
    owners.adoptPlain(0, 0, 6);
    owners.adopt(1, 0, put(owners, [0, 10, 11, 0, 0, 12]), { origin: 10, step: 1, lastEntry: 20 });
    owners.adopt(2, 2, put(owners, [126, 0, 63]), { origin: 63, step: 63, lastEntry: 200 });
    expect(mapAll(owners, 0, 8)).toEqual([
      [1, 1, 0],
      [1, 1, 1],
      [1, 2, 2],
      [1, 4, 0],
      [1, 1, 2],
      [1, 3, 1],
      [2, 0, 0],
    ]);
    expect([0, 1, 2, 3].map((layer) => owners.held(layer))).toEqual([2, 2, 2, 0]);
    // The two upper images become one file, which holds its clusters elsewhere.
    owners.merge(1);
    owners.relocate(1, 0, put(owners, [0, 5, 6, 0, 7, 9]), { origin: 5, step: 1, lastEntry: 9 });
    expect(mapAll(owners, 0, 8)).toEqual([
      [1, 1, 0],
      [2, 1, 1],
      [1, 4, 0],
      [1, 3, 1],
      [1, 5, 1],
      [2, 0, 0],
    ]);
  });

  it("know entries that lead nowhere, and one run of them is not the place behind a good one", () => {
    const entries = [9, 10, 15, 21, 20, 0, 40, 0xffffffff, 0xffffffff];
    const { owners, bad } = adopted(entries, { origin: 10, step: 10, lastEntry: 30 });
    expect(bad).toBe(6);
    expect(mapAll(owners, 0, 9)).toEqual([
      [1, BAD_PLACE, 1],
      [1, 1, 1],
      [2, BAD_PLACE, 1],
      [1, 2, 1],
      [1, 0, 0],
      [3, BAD_PLACE, 1],
    ]);
  });

  it("take the highest host cluster, and none whose place would be the mark of bad ones", () => {
    // Long enough for lanes, at each place in a block of them.
    for (let before = 0; before < 70; before++) {
      const entries = [...new Array<number>(before).fill(0), 0xfffffffd, 0xfffffffe, 0xffffffff, 0, 1];
      const { owners, bad } = adopted(entries, { origin: 1, step: 1, lastEntry: 0xffffffff });
      expect(bad).toBe(1);
      expect(mapAll(owners, before, 5)).toEqual([
        [2, 0xfffffffd, 1],
        [1, BAD_PLACE, 1],
        [1, 0, 0],
        [1, 1, 1],
      ]);
    }
  });

  it("of different layers are different runs, though their places follow each other", () => {
    for (let length = 2; length <= 140; length++) {
      const owners = createOwners(kind, length);
      owners.adoptPlain(MAX_LAYER, 0, length);
      for (let at = 1; at < length; at++) {
        owners.adoptPlain(MAX_LAYER - 1, at, length - at);
        expect(mapAll(owners, 0, length)).toEqual([
          [at, 1, MAX_LAYER],
          [length - at, at + 1, MAX_LAYER - 1],
        ]);
        owners.adoptPlain(MAX_LAYER, at, 1);
      }
    }
  });

  it("fill the table of extents, and go on from there; nothing is written beside it", () => {
    // A first run of 40 puts the others out of step with blocks of 64.
    const entries = Array.from({ length: 4000 }, (_, index) =>
      index < 40 ? index + 1 : ((index * 7919) % 4000) + 100,
    );
    const { owners } = adopted(entries);
    const before = [owners.places.slice(), owners.layers.slice(), owners.entries.slice()];
    expect(owners.map(0, 4000)).toBe(owners.extentCapacity);
    expect(owners.extents.length).toBe(owners.extentCapacity * 3);
    const naive = new NaiveOwners(4000);
    naive.adopt(1, 0, entries, WIDE);
    expect(mapAll(owners, 0, 4000)).toEqual(naive.runs(0, 4000));
    expect([owners.places, owners.layers, owners.entries]).toEqual(before);
  });

  it("are as many as the format allows", () => {
    const owners = createOwners(kind, 2 ** 29 - 1);
    owners.adopt(3, 2 ** 29 - 3, put(owners, [5, 6]), WIDE);
    expect([owners.map(2 ** 29 - 100, 99), ...owners.extents.subarray(0, 6)]).toEqual([2, 97, 0, 0, 2, 5, 3]);
  });
});
