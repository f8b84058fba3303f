/**
 * Any storage behind a block cache: for those whose requests are dear. Reads come from memory where they can; changes
 * go through at once, and a read that begins after one has ended sees it.
 */

import { requireKept, takeBuffer } from "../buffers.js";
import { requireOptions } from "../caller-options.js";
import { DiskError } from "../errors.js";
import { movedBytes, READING, requireVerbs, sizeAnswered, storageName } from "./answers.js";
import {
  BlockCache,
  type BlockSource,
  CACHE_OPTIONS,
  type CacheOptions,
  type CacheStatistics,
  cacheSettings,
  type Hold,
} from "./block-cache.js";
import { passOn } from "./forward.js";
import type { Storage } from "./storage.js";

/** A storage that remembers what was read. */
export interface CachedStorage extends Storage {
  /** What the cache has done so far. */
  readonly statistics: Readonly<CacheStatistics>;
}

/**
 * Puts a cache before a storage, which belongs to it from then on: nobody else may change the storage. For the
 * asynchronous face. @throws TypeError for unknown options, RangeError for sizes that a cache cannot have
 */
export function cached(storage: Storage, options: CacheOptions = {}): CachedStorage {
  requireOptions(options, CACHE_OPTIONS);
  requireVerbs(storage, READING);
  return new Cached(storage, options);
}

interface Change {
  hold: Hold;
  /** It may move the storage's end: until it has ended nothing is read through the cache. */
  resizes: boolean;
}

/** What the cache has to know of: changes, and what it answers itself. All else goes on as it is, as no byte waits here. */
class Cached implements CachedStorage {
  readonly readOnly: boolean;
  readonly punch?: Storage["punch"] & {};
  readonly allocate?: Storage["allocate"] & {};
  readonly #inner: Storage;
  readonly #cache: BlockCache;
  /** Whether `#cache.size` is right. */
  #sizeKnown = false;
  /** Counts the changes of the size that have begun or ended: an answer from between is out of date. */
  #sizeVersion = 0;
  #resizing = 0;
  #closed = false;

  constructor(inner: Storage, options: CacheOptions) {
    this.#inner = inner;
    this.#cache = new BlockCache(sourceOf(inner), cacheSettings(options));
    this.readOnly = inner.readOnly ?? false;
    if (inner.punch) this.punch = (offset, length) => this.#punch(offset, length);
    if (inner.allocate) this.allocate = (offset, length) => this.#allocate(offset, length);
    passOn(inner, this, () => this.#requireOpen());
  }

  get statistics(): CacheStatistics {
    return { ...this.#cache.statistics };
  }

  read(buffer: Uint8Array, offset: number): number | Promise<number> {
    this.#requireOpen();
    const target = takeBuffer(buffer);
    if (this.#resizing > 0) return this.#readPast(target, offset);
    if (!this.#sizeKnown)
      return this.#learnSize().then((known) => (known ? this.read(target, offset) : this.#readPast(target, offset)));
    const length = Math.min(target.length, this.#cache.size - offset);
    if (length <= 0) return 0;
    const answer = this.#cache.read(length === target.length ? target : target.subarray(0, length), offset);
    // Blocks are larger than what was asked for: its own bytes may be readable all the same.
    return typeof answer === "number" ? answer : answer.catch(() => this.#readPast(target, offset));
  }

  async #readPast(target: Uint8Array, offset: number): Promise<number> {
    const { length } = target;
    return movedBytes(this.#inner, "read", await this.#inner.read(target, offset), length);
  }

  async write(buffer: Uint8Array, offset: number): Promise<number> {
    this.#requireOpen();
    const source = takeBuffer(buffer);
    const { length } = source;
    const end = offset + length;
    const hold = this.#begin(offset, end, !this.#sizeKnown || end > this.#cache.size);
    let written: Uint8Array | undefined;
    try {
      const moved = movedBytes(this.#inner, "write", await this.#inner.write(source, offset), length);
      requireKept(source, length);
      written = source.subarray(0, moved);
      return moved;
    } finally {
      this.#end(hold, written);
    }
  }

  async size(): Promise<number> {
    this.#requireOpen();
    return sizeAnswered(this.#inner, await this.#inner.size());
  }

  async truncate(size: number): Promise<void> {
    return this.#change(size, Number.POSITIVE_INFINITY, true, () => this.#inner.truncate(size));
  }

  flush(): void | Promise<void> {
    this.#requireOpen();
    return this.#inner.flush();
  }

  close(): void | Promise<void> {
    this.#closed = true;
    this.#cache.clear();
    return this.#inner.close();
  }

  #punch(offset: number, length: number): Promise<void> {
    return this.#change(offset, offset + length, false, () => this.#inner.punch!(offset, length));
  }

  #allocate(offset: number, length: number): Promise<void> {
    return this.#change(offset, offset + length, true, () => this.#inner.allocate!(offset, length));
  }

  /** A change after which the bytes from `start` to `end` have to be read anew. */
  async #change(start: number, end: number, resizes: boolean, change: () => void | Promise<void>): Promise<void> {
    this.#requireOpen();
    const hold = this.#begin(start, end, resizes);
    try {
      await change();
    } finally {
      this.#end(hold);
    }
  }

  #begin(start: number, end: number, resizes: boolean): Change {
    if (resizes) {
      this.#resizing++;
      this.#forgetSize();
    }
    return { hold: this.#cache.hold(start, end), resizes };
  }

  #end({ hold, resizes }: Change, written?: Uint8Array): void {
    this.#cache.release(hold, written);
    if (!resizes) return;
    this.#resizing--;
    this.#forgetSize();
  }

  #forgetSize(): void {
    this.#cache.forgetEnd();
    this.#sizeKnown = false;
    this.#sizeVersion++;
  }

  /** Answers false where a change came in between. */
  async #learnSize(): Promise<boolean> {
    const version = this.#sizeVersion;
    const size = sizeAnswered(this.#inner, await this.#inner.size());
    if (version !== this.#sizeVersion) return false;
    this.#cache.size = size;
    this.#sizeKnown = true;
    return true;
  }

  #requireOpen(): void {
    if (this.#closed) throw new DiskError("CLOSED", `${storageName(this.#inner)} is closed: open it again`);
  }
}

/** A storage as a source of blocks: neighbours are read in one request and then told apart. */
function sourceOf(storage: Storage): BlockSource {
  return {
    async fill(parts, offset, filled) {
      const only = parts.length === 1 ? parts[0] : undefined;
      const whole = only ?? new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      await fillFrom(storage, whole, offset);
      let at = 0;
      for (const [index, part] of parts.entries()) {
        if (only === undefined) part.set(whole.subarray(at, at + part.length));
        at += part.length;
        filled(index);
      }
    },
  };
}

async function fillFrom(storage: Storage, buffer: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const answer = await storage.read(done === 0 ? buffer : buffer.subarray(done), offset + done);
    const moved = movedBytes(storage, "read", answer, buffer.length - done);
    if (moved === 0) throw new DiskError("IO", `reading at ${offset + done} failed: the storage ended`);
    done += moved;
  }
}
