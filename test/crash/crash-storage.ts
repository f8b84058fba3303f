/**
 * A storage that can lose power. It holds what is durable, and every version of every sector since the last flush.
 *
 * The model. Requests take effect in the order of their calls, in a cache. What is in the cache reaches the medium at
 * any time, in any order, or never:
 * - A sector of 512 bytes is atomic: after a crash it holds its durable version, or any version that it had in the
 *   cache since. A write of less than a sector changes the cached sector, and makes one more version of it.
 * - Sectors are independent of each other: any subset of the requests survives, and every request may be torn.
 * - The file's length is one more such unit, independent of the sectors: durable, or any length since. A write that
 *   makes the file longer, or an allocation, passes through the lengths between, sector by sector. Sectors behind the
 *   surviving length are lost; sectors inside it that were never written are zeros (no file system shows old blocks).
 * - Punching makes a zero version of its sectors, and so does truncating of those that it cuts off. Either may survive
 *   alone: blocks may be gone from a file that has its old length still.
 * - A flush makes durable what it covers: all requests before it, or, where several are in flight, those that were
 *   answered before the flush was asked for.
 * This is harsher than journaling file systems are (they keep lengths and block frees in order), not harsher than the
 * interface's contract. What is saved beside the storage is durable at once, as the contract says.
 */
import type { StorageSync } from "../../src/storage/storage.js";
import { equalBytes } from "./words.js";

export const SECTOR = 512;

/** A version of a sector, or of the length, that one request made. */
export interface Version<T> {
  /** The request's number. */
  request: number;
  value: T;
}

/** A sector that may have one of several contents after a crash. */
export interface PendingSector {
  sector: number;
  /** What differs from the durable version and from one another. */
  versions: Version<Uint8Array>[];
}

/** What a crash now may leave: one of the sizes, and any version (or the durable one) of each sector. */
export interface Pending {
  /** The durable size comes first. */
  sizes: Version<number>[];
  /** In the order of the file. */
  sectors: PendingSector[];
  /** The last request that changed something. */
  newest: number;
  /** Which request made the durable version of a sector; those are left out that were there from the beginning. */
  durable: ReadonlyMap<number, number>;
}

/** What a storage offers beyond the minimum. */
export interface Features {
  punch: boolean;
  allocate: boolean;
}

export class CrashStorage implements StorageSync {
  /** Told after every request that changes something, and after flushes. */
  onChange: (() => void) | undefined;
  /** What was asked, one line a request. */
  readonly log: string[] = [];
  /** What was saved beside it. */
  readonly saved: Uint8Array[] = [];
  punch?: (offset: number, length: number) => void;
  allocate?: (offset: number, length: number) => void;

  /** The cache and the medium, zeros behind their sizes; always equally long, in whole sectors. */
  #cached: Uint8Array<ArrayBuffer>;
  #durable: Uint8Array<ArrayBuffer>;
  #size: number;
  #durableSize: number;
  readonly #sectors = new Map<number, Version<Uint8Array>[]>();
  readonly #flushed = new Map<number, number>();
  #sizes: Version<number>[] = [];
  #requests = 0;
  readonly #next: () => number;

  /** @param next numbers requests, where several storages count together */
  constructor(durable: Uint8Array, features: Features, next?: () => number) {
    this.#next = next ?? (() => this.#requests + 1);
    this.#size = this.#durableSize = durable.length;
    this.#durable = new Uint8Array(roundUp(durable.length));
    this.#durable.set(durable);
    this.#cached = this.#durable.slice();
    if (features.punch) this.punch = (offset, length) => this.#punch(offset, length);
    if (features.allocate) this.allocate = (offset, length) => this.#allocate(offset, length);
  }

  /** The number of the last request that changed something. */
  get requests(): number {
    return this.#requests;
  }

  read(buffer: Uint8Array, offset: number): number {
    const end = Math.min(offset + buffer.length, this.#size);
    if (end <= offset) return 0;
    buffer.set(this.#cached.subarray(offset, end));
    return end - offset;
  }

  write(buffer: Uint8Array, offset: number): number {
    const end = offset + buffer.length;
    this.#begin(`write ${buffer.length} bytes at ${offset}`);
    this.#grow(end);
    this.#cached.set(buffer, offset);
    this.#touch(offset, end);
    this.onChange?.();
    return buffer.length;
  }

  size(): number {
    return this.#size;
  }

  truncate(size: number): void {
    this.#begin(`truncate to ${size}`);
    const cut = this.#size;
    this.#reserve(size);
    if (size !== cut) this.#sizes.push({ request: this.#requests, value: size });
    this.#size = size;
    if (size < cut) {
      this.#cached.fill(0, size, cut);
      this.#touch(size, cut);
    }
    this.onChange?.();
  }

  /** Makes durable what the requests that are covered did; where sectors changed again since, that stays pending. */
  flush(covers: (request: number) => boolean = () => true): void {
    this.log.push("flush");
    for (const [sector, versions] of this.#sectors) {
      const last = versions.findLastIndex(({ request }) => covers(request));
      if (last < 0) continue;
      this.#durable.set(versions[last].value, sector * SECTOR);
      this.#flushed.set(sector, versions[last].request);
      if (last === versions.length - 1) this.#sectors.delete(sector);
      else this.#sectors.set(sector, versions.slice(last + 1));
    }
    const last = this.#sizes.findLastIndex(({ request }) => covers(request));
    if (last >= 0) this.#durableSize = this.#sizes[last].value;
    this.#sizes = this.#sizes.slice(last + 1);
    this.onChange?.();
  }

  close(): void {}

  saveBeside(_suffix: string, bytes: Uint8Array): string {
    this.saved.push(bytes.slice());
    return `backup ${this.saved.length}`;
  }

  /** What the cache holds: what a program that opens the file next finds if the power stays on. */
  cached(): Uint8Array<ArrayBuffer> {
    return this.#cached.slice(0, this.#size);
  }

  pending(): Pending {
    const sectors: PendingSector[] = [];
    for (const [sector, versions] of this.#sectors) {
      const durable = this.#durable.subarray(sector * SECTOR, (sector + 1) * SECTOR);
      const different = distinct(versions, { request: -1, value: durable }, equalBytes);
      if (different.length > 0) sectors.push({ sector, versions: different });
    }
    sectors.sort((a, b) => a.sector - b.sector);
    const durableSize = { request: -1, value: this.#durableSize };
    const sizes = [durableSize, ...distinct(this.#sizes, durableSize, (a, b) => a === b)];
    return { sizes, sectors, newest: this.#requests, durable: this.#flushed };
  }

  /** What a crash leaves: this size, and of the pending sectors (the first ones of `pending`) these versions, 0 for durable. */
  crashed({ sectors }: Pending, size: number, picks: ArrayLike<number>): Uint8Array<ArrayBuffer> {
    const image = new Uint8Array(size);
    image.set(this.#durable.subarray(0, Math.min(size, this.#durable.length)));
    for (let index = 0; index < picks.length; index++) {
      const pick = picks[index];
      if (pick === 0) continue;
      const { sector, versions } = sectors[index];
      const start = sector * SECTOR;
      const value = versions[pick - 1].value;
      image.set(start + SECTOR <= size ? value : value.subarray(0, Math.max(0, size - start)), Math.min(start, size));
    }
    return image;
  }

  #punch(offset: number, length: number): void {
    const end = Math.min(offset + length, this.#size);
    this.#begin(`punch ${length} bytes at ${offset}`);
    if (end > offset) {
      this.#cached.fill(0, offset, end);
      this.#touch(offset, end);
    }
    this.onChange?.();
  }

  #allocate(offset: number, length: number): void {
    this.#begin(`allocate ${length} bytes at ${offset}`);
    this.#grow(offset + length);
    this.onChange?.();
  }

  #begin(line: string): void {
    this.#requests = this.#next();
    this.log.push(`${this.#requests}: ${line}`);
  }

  /** Makes the file at least this long, sector by sector. */
  #grow(size: number): void {
    if (size <= this.#size) return;
    this.#reserve(size);
    for (let value = roundUp(this.#size + 1); value < size; value += SECTOR) {
      this.#sizes.push({ request: this.#requests, value });
    }
    this.#sizes.push({ request: this.#requests, value: size });
    this.#size = size;
  }

  #reserve(size: number): void {
    if (size <= this.#cached.length) return;
    const capacity = roundUp(Math.max(size, 2 * this.#cached.length));
    this.#cached = enlarged(this.#cached, capacity);
    this.#durable = enlarged(this.#durable, capacity);
  }

  /** Notes the versions that the sectors of a range have now. */
  #touch(from: number, to: number): void {
    for (let sector = Math.floor(from / SECTOR); sector * SECTOR < to; sector++) {
      const value = this.#cached.slice(sector * SECTOR, (sector + 1) * SECTOR);
      const versions = this.#sectors.get(sector);
      if (versions) versions.push({ request: this.#requests, value });
      else this.#sectors.set(sector, [{ request: this.#requests, value }]);
    }
  }
}

function distinct<T>(versions: Version<T>[], durable: Version<T>, equal: (a: T, b: T) => boolean): Version<T>[] {
  const kept: Version<T>[] = [];
  for (const version of versions) {
    const known = equal(version.value, durable.value) || kept.some(({ value }) => equal(value, version.value));
    if (!known) kept.push(version);
  }
  return kept;
}

function enlarged(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(bytes);
  return larger;
}

const roundUp = (size: number): number => Math.ceil(size / SECTOR) * SECTOR;
