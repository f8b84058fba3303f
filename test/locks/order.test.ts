/**
 * The order of locks (src/mutex.ts): whatever a disk does, who holds a lock takes only later ones. Requests are made one
 * at a time, each of a kind that does not wait for itself: so what is held when a lock is asked for is what its own
 * request holds.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Disk } from "../../src/disk.js";
import { FLAG, IN_USE } from "../../src/format/header.js";
import { RangeLocks } from "../../src/image/range-locks.js";
import { LOCK_ORDER, Mutex } from "../../src/mutex.js";
import type { OpenOptions } from "../../src/options.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { makeImage } from "../support/image.js";
import { patternBytes, randomFrom } from "../support/random.js";

const CLUSTER = 4096;

/** Who holds what now, and every pair of a lock that was held and one that was asked for then. */
let held: string[];
let pairs: Set<string>;

function take(name: string): void {
  for (const outer of held) pairs.add(`${outer} > ${name}`);
  held.push(name);
}

function letGo(name: string): void {
  expect(held).toContain(name);
  held.splice(held.lastIndexOf(name), 1);
}

beforeEach(() => {
  held = [];
  pairs = new Set();
  const { tryAcquire, release } = Mutex.prototype;
  vi.spyOn(Mutex.prototype, "tryAcquire").mockImplementation(function (this: Mutex) {
    take(this.name);
    expect(tryAcquire.call(this), `${this.name} is free`).toBe(true);
    return true;
  });
  vi.spyOn(Mutex.prototype, "release").mockImplementation(function (this: Mutex) {
    letGo(this.name);
    release.call(this);
  });
  const { acquire, tryAcquire: tryRange, release: releaseRange } = RangeLocks.prototype;
  vi.spyOn(RangeLocks.prototype, "acquire").mockImplementation(function (this: RangeLocks, ...range) {
    take("clusters");
    return acquire.apply(this, range);
  });
  vi.spyOn(RangeLocks.prototype, "tryAcquire").mockImplementation(function (this: RangeLocks, ...range) {
    take("clusters");
    return tryRange.apply(this, range);
  });
  vi.spyOn(RangeLocks.prototype, "release").mockImplementation(function (this: RangeLocks, lock) {
    letGo("clusters");
    releaseRange.call(this, lock);
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Some of everything, one request after the other. */
async function useDisk(disk: Disk, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const clusters = disk.size / CLUSTER;
  if (disk.info.unclean) await disk.repair("leaks"); // as its first change
  for (let step = 0; step < 200; step++) {
    const cluster = Math.floor(random() * clusters);
    const at = Math.floor(random() * (CLUSTER - 100));
    const dice = random();
    if (dice < 0.5) await disk.write(patternBytes(step, 100), cluster * CLUSTER + at);
    else if (dice < 0.6) await disk.read(new Uint8Array(CLUSTER), cluster * CLUSTER);
    else if (dice < 0.7) await disk.discard(cluster * CLUSTER, CLUSTER);
    else if (dice < 0.8) await disk.discard(cluster * CLUSTER + at, 100);
    else if (dice < 0.9) await disk.flush();
    else if (dice < 0.95) await disk.check();
    else await disk.repair("all");
    expect(held).toEqual([]);
  }
  await disk.close();
}

const parts = { format: "v1", tracks: 8, hosts: [3, 1, -1, 0, -1, -1, 5, -1] } as const;

const images: [string, Parameters<typeof makeImage>[0], OpenOptions][] = [
  ["is sound", parts, {}],
  ["lies over a base", parts, { base: new MemoryStorage(patternBytes(9, 5 * CLUSTER + 100)) }],
  ["grows cluster by cluster", parts, { prealloc: { mode: "off" } }],
  ["was not closed", { ...parts, header: { inUse: IN_USE.open } }, {}],
  ["says that it is empty", { ...parts, hosts: Array(8).fill(-1), header: { flags: FLAG.empty } }, {}],
  ["is repaired at opening", { ...parts, hosts: [3, 1, -1, 3, 1, -1, 900, -1] }, { repair: "all" }],
];

describe("The order of locks", () => {
  test("holds for a disk in whatever state it was found, and in every request", async () => {
    const seen = new Set<string>();
    for (const [index, [state, image, options]] of images.entries()) {
      pairs.clear();
      const disk = await Disk.open(new MemoryStorage(makeImage(image)), options);
      await useDisk(disk, index);
      for (const pair of pairs) {
        const [outer, inner] = pair.split(" > ").map((name) => (LOCK_ORDER as readonly string[]).indexOf(name));
        expect(outer, `${pair}, in a disk that ${state}`).toBeLessThan(inner!);
        seen.add(pair);
      }
    }
    // All that is meant to nest does: else the requests above would show nothing.
    expect([...seen].sort()).toEqual([
      "clusters > data",
      "clusters > flush",
      "clusters > grow",
      "clusters > mark",
      "flush > data",
      "flush > mark",
      "mark > data",
    ]);
  });
});
