/**
 * A bounded cache of aligned blocks before something slow. Invariants: a block that is in the map holds, or will
 * hold, what the source holds; blocks, those being fetched among them, never take more than the bound; a block has at
 * most one request under way, shared by all who wait for it. What finds no room is read past the cache.
 *
 * Changes are announced: `hold` before one begins, `release` when it has ended. In between its blocks are read past
 * the cache, and what was being fetched when it began is never kept.
 */

import { requireKept } from "../buffers.js";
import type { OptionNames } from "../caller-options.js";
import { quote } from "../printable.js";
import { type Block, newBlock } from "./block.js";
import { ReadAhead } from "./read-ahead.js";

/** What lies behind the cache. */
export interface BlockSource {
  /** Fills the parts, which lie one after the other from `offset`; calls `filled` for each, in order, when it is complete. */
  fill(parts: readonly Uint8Array[], offset: number, filled: (index: number) => void): Promise<void>;
}

/** How a cache is to be. */
export interface CacheOptions {
  /**
   * Bytes a block, a power of two from 4 KiB to 16 MiB. Default 128 KiB: over a network a request costs as much time
   * as some hundred KiB, so smaller blocks save nothing and larger ones fetch what nobody asked for.
   */
  blockSize?: number;
  /** Most bytes kept, at least four blocks. Default 64 MiB: what a small guest reads while it boots. */
  cacheSize?: number;
  /**
   * Most bytes to read ahead of a sequential reader; 0 never does; at most a quarter of the cache. Default 2 MiB:
   * twice what a line of 100 Mbit/s carries in 80 ms, so that it never runs dry.
   */
  readAhead?: number;
}

export const CACHE_OPTIONS: OptionNames<CacheOptions> = { blockSize: true, cacheSize: true, readAhead: true };

export interface CacheStatistics {
  /** Reads that memory answered at once. */
  cacheHits: number;
  /** Reads that had to wait. */
  cacheMisses: number;
}

export type CacheSettings = Required<CacheOptions>;

/** A change under way, of the bytes from `start` to `end`. */
export interface Hold {
  readonly start: number;
  readonly end: number;
  /** No other change touches its bytes meanwhile. */
  alone: boolean;
}

const MAX_REQUEST = 4 * 2 ** 20;

/** The defaults filled in. @throws RangeError */
export function cacheSettings(options: CacheOptions): CacheSettings {
  const { blockSize = 128 * 1024, cacheSize = 64 * 2 ** 20, readAhead = 2 * 2 ** 20 } = options;
  const isPowerOfTwo = typeof blockSize === "number" && Number.isInteger(Math.log2(blockSize));
  if (!isPowerOfTwo || blockSize < 4096 || blockSize > 16 * 2 ** 20)
    throw new RangeError(`blockSize: expected a power of two from 4096 to ${16 * 2 ** 20}, got ${quote(blockSize)}`);
  if (!(Number.isSafeInteger(cacheSize) && cacheSize >= 4 * blockSize))
    throw new RangeError(`cacheSize: expected at least four blocks (${4 * blockSize} bytes), got ${quote(cacheSize)}`);
  if (!(typeof readAhead === "number" && readAhead >= 0))
    throw new RangeError(`readAhead: expected 0 or more bytes, got ${quote(readAhead)}`);
  return { blockSize, cacheSize, readAhead: Math.min(readAhead, cacheSize / 4) };
}

export class BlockCache {
  readonly statistics: CacheStatistics = { cacheHits: 0, cacheMisses: 0 };
  /** The source's length in bytes: its owner keeps it right. */
  size = 0;
  readonly #source: BlockSource;
  readonly #settings: CacheSettings;
  readonly #maxBlocks: number;
  readonly #readAhead: ReadAhead;
  /** In order of use, the oldest first. */
  readonly #blocks = new Map<number, Block>();
  readonly #holds = new Set<Hold>();
  /** Blocks to be fetched, collected until the end of the turn so that neighbours travel together. */
  #wanted: Block[] = [];

  constructor(source: BlockSource, settings: CacheSettings) {
    this.#source = source;
    this.#settings = settings;
    this.#maxBlocks = Math.floor(settings.cacheSize / settings.blockSize);
    this.#readAhead = new ReadAhead(settings.blockSize, settings.readAhead);
  }

  /** Bytes in blocks, those being fetched among them: never more than the bound. */
  get bytes(): number {
    return this.#blocks.size * this.#settings.blockSize;
  }

  /** Fills the whole target, which must lie inside the source; answers its length, at once where memory has it all. */
  read(target: Uint8Array, offset: number): number | Promise<number> {
    if (target.length >= this.#settings.cacheSize / 4) return this.#readLarge(target, offset);
    const { length } = target;
    const waits = this.#copyOrWait(target, offset);
    this.#fetchAhead(offset, length);
    if (waits.length > 0) {
      this.statistics.cacheMisses++;
      return allOf(waits).then(() => length);
    }
    this.statistics.cacheHits++;
    return length;
  }

  /** A change of these bytes begins. */
  hold(start: number, end: number): Hold {
    const hold: Hold = { start, end, alone: true };
    for (const other of this.#holds) {
      if (other.start < end && start < other.end) hold.alone = other.alone = false;
    }
    this.#holds.add(hold);
    for (const block of this.#within(hold)) if (!block.ready) this.#blocks.delete(block.index);
    return hold;
  }

  /** A change has ended: its blocks get the new bytes where these are certain, and are forgotten elsewhere. */
  release(hold: Hold, written?: Uint8Array): void {
    this.#holds.delete(hold);
    for (const block of this.#within(hold)) {
      if (hold.alone && written !== undefined) this.#patch(block, written, hold.start);
      else this.#blocks.delete(block.index);
    }
  }

  /** Forgets the block that ends where the source ended: the end is about to move. */
  forgetEnd(): void {
    for (const { index, bytes } of [...this.#blocks.values()])
      if (bytes.length < this.#settings.blockSize) this.#blocks.delete(index);
  }

  /** Forgets everything. */
  clear(): void {
    this.#blocks.clear();
  }

  /** Copies what is there and asks for the rest; answers what has to be waited for. */
  #copyOrWait(target: Uint8Array, offset: number): Promise<void>[] {
    const [first, last] = [this.#indexOf(offset), this.#indexOf(offset + target.length - 1)];
    if (!this.#touch(first, last)) return [this.#straight(target, offset)];
    const waits: Promise<void>[] = [];
    const { length } = target;
    const copyLater = (block: Block) => {
      requireKept(target, length);
      this.#copy(block, target, offset);
    };
    for (let index = first; index <= last; index++) {
      const block = this.#blocks.get(index) ?? this.#want(index);
      if (block.ready) this.#copy(block, target, offset);
      else waits.push(block.done.then(() => copyLater(block)));
    }
    return waits;
  }

  /** Marks blocks as used and makes room for those that are missing; answers whether the cache can serve them. */
  #touch(first: number, last: number): boolean {
    if (this.#isHeld(first, last)) return false;
    let missing = 0;
    for (let index = first; index <= last; index++) {
      const block = this.#blocks.get(index);
      if (block === undefined) missing++;
      else {
        this.#blocks.delete(index);
        this.#blocks.set(index, block);
      }
    }
    return this.#makeRoom(missing, first, last);
  }

  /** Evicts the blocks that were not used for longest, but none being fetched and none of `first` to `last`. */
  #makeRoom(count: number, first: number, last: number): boolean {
    let excess = this.#blocks.size + count - this.#maxBlocks;
    if (excess <= 0) return true;
    for (const { index, ready } of this.#blocks.values()) {
      if (!ready || (index >= first && index <= last)) continue;
      this.#blocks.delete(index);
      if (--excess === 0) return true;
    }
    return false;
  }

  #fetchAhead(offset: number, length: number): void {
    const end = Math.min(this.#readAhead.advance(offset, length), this.size);
    const [first, last] = [this.#indexOf(offset), this.#indexOf(end - 1)];
    for (let index = this.#indexOf(offset + length - 1) + 1; index <= last; index++) {
      if (this.#blocks.has(index)) continue;
      if (this.#isHeld(index, index) || !this.#makeRoom(1, first, last)) return;
      this.#want(index);
    }
  }

  #want(index: number): Block {
    const { blockSize } = this.#settings;
    const block = newBlock(index, Math.min(blockSize, this.size - index * blockSize));
    this.#blocks.set(index, block);
    if (this.#wanted.push(block) === 1) queueMicrotask(() => this.#fetchWanted());
    return block;
  }

  #fetchWanted(): void {
    const wanted = this.#wanted.sort((a, b) => a.index - b.index);
    this.#wanted = [];
    const most = Math.max(1, MAX_REQUEST / this.#settings.blockSize);
    for (let from = 0, to = 1; from < wanted.length; to++) {
      const ends = to - from === most || wanted[to]?.index !== wanted[to - 1].index + 1;
      if (!ends) continue;
      void this.#fetch(wanted.slice(from, to));
      from = to;
    }
  }

  async #fetch(blocks: Block[]): Promise<void> {
    const parts = blocks.map(({ bytes }) => bytes);
    try {
      await this.#source.fill(parts, blocks[0].index * this.#settings.blockSize, (at) => blocks[at].settle());
    } catch (error) {
      for (const block of blocks.filter(({ ready }) => !ready)) {
        if (this.#blocks.get(block.index) === block) this.#blocks.delete(block.index);
        block.fail(error);
      }
    }
  }

  /** The edges of a large read go through the cache, where a neighbour finds them; all between goes straight. */
  #readLarge(target: Uint8Array, offset: number): Promise<number> {
    const { blockSize } = this.#settings;
    const head = (blockSize - (offset % blockSize)) % blockSize;
    const tail = target.length - ((offset + target.length) % blockSize);
    const { length } = target;
    this.statistics.cacheMisses++;
    const waits = tail > head ? [this.#straight(target.subarray(head, tail), offset + head)] : [];
    if (head > 0) waits.push(...this.#copyOrWait(target.subarray(0, head), offset));
    if (tail < length) waits.push(...this.#copyOrWait(target.subarray(tail), offset + tail));
    return allOf(waits).then(() => length);
  }

  #straight(target: Uint8Array, offset: number): Promise<void> {
    return this.#source.fill([target], offset, () => {});
  }

  #copy({ index, bytes }: Block, target: Uint8Array, offset: number): void {
    const start = index * this.#settings.blockSize;
    const from = Math.max(start, offset);
    target.set(bytes.subarray(from - start, offset + target.length - start), from - offset);
  }

  #patch({ index, bytes }: Block, written: Uint8Array, offset: number): void {
    const start = index * this.#settings.blockSize;
    const from = Math.max(start, offset);
    const to = Math.min(start + bytes.length, offset + written.length);
    if (from < to) bytes.set(written.subarray(from - offset, to - offset), from - start);
  }

  #isHeld(first: number, last: number): boolean {
    const { blockSize } = this.#settings;
    for (const { start, end } of this.#holds)
      if (start < (last + 1) * blockSize && first * blockSize < end) return true;
    return false;
  }

  #within({ start, end }: Hold): Block[] {
    const [first, last] = [this.#indexOf(start), this.#indexOf(end - 1)];
    if (last - first > this.#blocks.size)
      return [...this.#blocks.values()].filter(({ index }) => index >= first && index <= last);
    const blocks: Block[] = [];
    for (let index = first; index <= last; index++) {
      const block = this.#blocks.get(index);
      if (block !== undefined) blocks.push(block);
    }
    return blocks;
  }

  #indexOf(offset: number): number {
    return Math.floor(offset / this.#settings.blockSize);
  }
}

/** Waits for all, also where one fails: nobody may touch a buffer after its read has ended. */
async function allOf(waits: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(waits)) if (result.status === "rejected") throw result.reason;
}
