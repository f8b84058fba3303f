/**
 * The engine in plain TypeScript: the baseline of the benchmarks, the oracle of the tests, and what
 * runs where WebAssembly is forbidden. Same interface and same results as `wasm.ts`; short ranges are mapped by both
 * with `runs.ts`.
 *
 * Entries are compared as JavaScript numbers, so a run never wraps around 2^32. Like every typed
 * array over file data, the table assumes a little-endian machine.
 */

import { type Engine, type Grid, NO_HOST_CLUSTER, type ScanFacts, type ZeroScanner } from "./engine.js";
import { UsedBitmap } from "./js-bitmap.js";
import { batOf, bufferOf, withMemory } from "./memory.js";
import { dataEnd, mapRuns, zerosEnd } from "./runs.js";

const EXTENT_CAPACITY = 1024;

export class JsEngine implements Engine {
  readonly kind = "js";
  readonly fallback: Error | undefined;
  readonly step: number;
  readonly extents = new Uint32Array(EXTENT_CAPACITY * 2);
  readonly extentCapacity = EXTENT_CAPACITY;

  #bat: Uint32Array<ArrayBuffer>;
  #batBytes: Uint8Array<ArrayBuffer>;
  #used = new UsedBitmap();
  #grid: Grid = { origin: 0, lastEntry: 0, hostLimit: 0 };
  #allocatedCount = 0;
  #allocatedRun = 0;

  constructor(entryCount: number, step: number, fallback?: Error) {
    this.fallback = fallback;
    this.step = step;
    this.#bat = withMemory(batOf(entryCount), () => new Uint32Array(entryCount));
    this.#batBytes = new Uint8Array(this.#bat.buffer);
  }

  get bat(): Uint32Array<ArrayBuffer> {
    return this.#bat;
  }

  get batBytes(): Uint8Array<ArrayBuffer> {
    return this.#batBytes;
  }

  get entryCount(): number {
    return this.#bat.length;
  }

  get origin(): number {
    return this.#grid.origin;
  }

  get allocatedCount(): number {
    return this.#allocatedCount;
  }

  get usedCount(): number {
    return this.#used.usedCount;
  }

  get end(): number {
    return this.#used.end;
  }

  get allocatedRun(): number {
    return this.#allocatedRun;
  }

  scan(grid: Grid): ScanFacts {
    this.#grid = { ...grid };
    this.#used.clear();
    this.#allocatedCount = 0;
    try {
      const facts = this.#scanRuns();
      this.#allocatedCount = facts.allocated;
      return facts;
    } catch (error) {
      // The bitmap could not grow: leave it empty, not half full.
      this.#used = new UsedBitmap();
      throw error;
    }
  }

  grow(entryCount: number): void {
    const bat = withMemory(batOf(entryCount), () => new Uint32Array(entryCount));
    const before = this.#bat;
    // What is 0 is memory that nobody touched yet: it is not written.
    for (let cluster = 0; cluster < before.length; cluster++) if (before[cluster] !== 0) bat[cluster] = before[cluster];
    this.#bat = bat;
    this.#batBytes = new Uint8Array(bat.buffer);
  }

  countFragments(): number {
    const { step } = this;
    const bat = this.#bat;
    let count = 0;
    let before = 0;
    for (let cluster = 0; cluster < bat.length; cluster++) {
      const entry = bat[cluster];
      if (entry !== 0 && before !== 0 && entry !== before + step) count++;
      before = entry;
    }
    return count;
  }

  map(firstCluster: number, clusterCount: number): number {
    return mapRuns(this.#bat, this.step, firstCluster, clusterCount, this.extents);
  }

  allocate(clusterCount: number, goal: number): number {
    this.#allocatedRun = 0;
    const { hostLimit, floor = 0 } = this.#grid;
    const honoured = goal >= floor && goal < this.#used.end && this.#used.nextFree(goal) === goal;
    const first = honoured ? goal : floor === 0 ? this.#used.firstFree() : this.#used.nextFree(floor);
    if (first >= hostLimit) return NO_HOST_CLUSTER;
    const nextUsed = this.#used.nextUsed(first);
    const limit = nextUsed < 0 ? hostLimit : nextUsed;
    const run = Math.min(clusterCount, limit - first);
    this.#used.use(first, first + run);
    this.#allocatedRun = run;
    return first;
  }

  reserve(hostCluster: number, clusterCount: number): number {
    return clusterCount === 0 ? 0 : this.#used.use(hostCluster, hostCluster + clusterCount);
  }

  release(hostCluster: number, clusterCount: number): void {
    if (clusterCount > 0) this.#used.free(hostCluster, hostCluster + clusterCount);
  }

  nextFree(hostCluster: number): number {
    return this.#used.nextFree(hostCluster);
  }

  nextUsed(hostCluster: number): number {
    const found = this.#used.nextUsed(hostCluster);
    return found < 0 ? this.end : found;
  }

  link(firstCluster: number, hostCluster: number, clusterCount: number): void {
    const { step } = this;
    const bat = this.#bat;
    let entry = this.#grid.origin + hostCluster * step;
    for (let cluster = firstCluster; cluster < firstCluster + clusterCount; cluster++) {
      if (bat[cluster] === 0) this.#allocatedCount++;
      bat[cluster] = entry;
      entry += step;
    }
  }

  unlink(firstCluster: number, clusterCount: number): void {
    const bat = this.#bat;
    for (let cluster = firstCluster; cluster < firstCluster + clusterCount; cluster++) {
      if (bat[cluster] !== 0) this.#allocatedCount--;
      bat[cluster] = 0;
    }
  }

  #scanRuns(): ScanFacts {
    const { entryCount, step } = this;
    const bat = this.#bat;
    const facts = { allocated: 0, end: 0, below: 0, outside: 0, offGrid: 0, duplicates: 0 };
    for (let cluster = 0; cluster < entryCount; ) {
      const entry = bat[cluster];
      if (entry === 0) {
        cluster = zerosEnd(bat, cluster, entryCount);
        continue;
      }
      const next = dataEnd(bat, cluster, entryCount, step);
      this.#takeRun(entry, next - cluster, facts);
      cluster = next;
    }
    this.#used.summarise();
    facts.end = this.#used.end;
    return facts;
  }

  /** Sorts the entries of one run into `facts` and marks the good ones as used. */
  #takeRun(entry: number, count: number, facts: ScanFacts): void {
    const { step } = this;
    const { origin, lastEntry } = this.#grid;
    const below = entry < origin ? Math.min(count, Math.ceil((origin - entry) / step)) : 0;
    const first = entry + below * step;
    const inside = first > lastEntry ? 0 : Math.min(count - below, Math.floor((lastEntry - first) / step) + 1);
    facts.allocated += count;
    facts.below += below;
    facts.outside += count - below - inside;
    if (inside === 0) return;
    const host = (first - origin) / step;
    if (Number.isInteger(host)) facts.duplicates += this.#used.mark(host, host + inside);
    else facts.offGrid += inside;
  }
}

export class JsZeroScanner implements ZeroScanner {
  readonly kind = "js";
  readonly fallback: Error | undefined;
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array;

  constructor(size: number, fallback?: Error) {
    this.fallback = fallback;
    const bytes = withMemory(bufferOf(size), () => new ArrayBuffer(Math.ceil(size / 4) * 4));
    this.buffer = new Uint8Array(bytes, 0, size);
    this.#words = new Uint32Array(bytes);
  }

  /** The buffer goes when nobody uses it any more. */
  release(): void {}

  isZero(offset: number, length: number): boolean {
    const end = offset + length;
    const firstWord = Math.ceil(offset / 4);
    const endWord = Math.floor(end / 4);
    if (firstWord >= endWord) return this.#bytesAreZero(offset, end);
    return (
      this.#bytesAreZero(offset, firstWord * 4) &&
      this.#wordsAreZero(firstWord, endWord) &&
      this.#bytesAreZero(endWord * 4, end)
    );
  }

  #bytesAreZero(from: number, to: number): boolean {
    for (let index = from; index < to; index++) if (this.buffer[index] !== 0) return false;
    return true;
  }

  #wordsAreZero(from: number, to: number): boolean {
    const words = this.#words;
    let index = from;
    for (; index + 4 <= to; index += 4) {
      if ((words[index] | words[index + 1] | words[index + 2] | words[index + 3]) !== 0) return false;
    }
    for (; index < to; index++) if (words[index] !== 0) return false;
    return true;
  }
}
