/**
 * The file beneath an image, as one object. Whatever changes it passes here, and so it knows by construction what no
 * verb has to remember: whether something is not durable yet, how long the file is and how much of that is durable, which
 * ranges read as zeros, whether a flush has failed, and how far its close has come. What the storage answers is checked
 * on its way (transfer.ts, storage/answers.ts).
 *
 * A flush that failed is final: the system may have dropped what it could not write, and calls those pages clean, so that
 * a flush that succeeds later says nothing of them.
 */
import { CallerMistake, DiskError, fieldOf } from "../errors.js";
import { exclusively, Mutex } from "../mutex.js";
import { call, type Operation } from "../operation.js";
import type { DataRange, PreallocationMode, Storage } from "../storage/storage.js";
import { Blank } from "./blank.js";
import * as transfer from "./transfer.js";

/** How a file is to grow. */
export interface Preallocation {
  mode: PreallocationMode;
  /** By how many bytes the file grows at least. */
  size: number;
  /** Why `falloc` is not what happens, once that is known: growing falls back to setting the size. */
  fallback?: string | undefined;
}

export interface MediumSettings {
  preallocation: Preallocation;
  /** Whether requests may overlap: in the asynchronous face. */
  concurrent: boolean;
}

export class Medium {
  readonly storage: Storage;
  readonly preallocation: Preallocation;
  /** The file's length as this disk made it, in bytes. */
  size: number;
  /** As much of it as is durable, at least. */
  durableSize: number;
  /** As much of it as was found at opening and never needed: what is beyond the clusters in use there is a leak. */
  foundSize: number;
  readonly blank: Blank;
  /** The error that made a flush fail: nothing since is known to be durable. */
  flushError: unknown;
  /** Something was changed since the storage was last flushed. */
  #changed = false;
  /** The storage gives back the blocks of holes. */
  #punches: boolean;
  readonly #growing: Mutex | undefined;
  readonly #flushing: Mutex | undefined;
  /** What `close` answered, while it is under way. */
  #closing: { answer: void | Promise<void> } | undefined;
  #closed = false;
  /** The storage failed to close: it is not asked again unless somebody says so, as its handle may be another's by now. */
  failedToClose = false;

  constructor(storage: Storage, size: number, { preallocation, concurrent }: MediumSettings) {
    this.storage = storage;
    this.preallocation = { ...preallocation };
    this.size = this.durableSize = this.foundSize = size;
    this.blank = new Blank(size);
    this.#punches = storage.punch !== undefined;
    this.#growing = concurrent ? new Mutex("grow") : undefined;
    this.#flushing = concurrent ? new Mutex("data") : undefined;
  }

  /** What it holds may never have reached the medium: its writer did not finish. */
  distrust(): void {
    this.durableSize = 0;
    this.#changed = true;
  }

  /** Notes a change that was made with the storage itself, at its end: what flushed meanwhile may have missed it. */
  changed(): void {
    this.#changed = true;
  }

  /** Fills `buffer` from `offset`, or throws. */
  read(buffer: Uint8Array, offset: number): Operation<void> {
    return transfer.readFully(this.storage, buffer, offset);
  }

  /** Writes all of `buffer`; `length` is how long it was when the request was made. */
  write(buffer: Uint8Array, offset: number, length = buffer.length): Operation<void> {
    return this.#change(transfer.writeFully(this.storage, buffer, offset, length));
  }

  writeZeros(offset: number, length: number): Operation<void> {
    return this.#change(transfer.writeZeros(this.storage, offset, length));
  }

  /** Writes and makes durable what a failure leaves to its caller to write again: no such failure is final. */
  *writeThrough(buffer: Uint8Array, offset: number): Operation<void> {
    yield* transfer.writeFully(this.storage, buffer, offset);
    yield* transfer.flushStorage(this.storage);
  }

  /** Makes durable what was changed before; a flush that is under way is waited for. @throws DiskError FLUSH_FAILED */
  *flush(): Operation<void> {
    yield* exclusively(this.#flushing, () => this.#flush());
  }

  *#flush(): Operation<void> {
    this.requireBelievable();
    if (!this.#changed) return;
    const { size } = this;
    this.#changed = false;
    try {
      yield* transfer.flushStorage(this.storage);
      this.durableSize = size;
    } catch (error) {
      this.#changed = true;
      this.flushError = error;
      throw error;
    }
  }

  /** @throws DiskError FLUSH_FAILED once a flush has failed */
  requireBelievable(): void {
    if (this.flushError === undefined) return;
    throw new DiskError(
      "FLUSH_FAILED",
      "an earlier flush failed, so what was written since the last good one may be lost: close the disk, find the cause, and open it again",
      {},
      this.flushError,
    );
  }

  /** Makes the file reach `end` (bytes) at least: to `ahead` where there is space; "sparse": without blocks for what is added. */
  *grow(end: number, ahead: () => number, how?: "sparse"): Operation<void> {
    if (end <= this.size) return;
    yield* exclusively(this.#growing, () => this.#grow(end, ahead, how));
  }

  *#grow(end: number, ahead: () => number, how?: "sparse"): Operation<void> {
    if (end <= this.size) return;
    const wanted = how || this.preallocation.mode === "off" ? end : Math.max(end, ahead());
    yield* this.#resizing(function* (this: Medium) {
      if (wanted > end && (yield* this.#tryExtend(wanted))) return;
      yield* this.#extend(end, how);
    });
  }

  /** Cuts the file; what lay behind is neither needed nor found any more. */
  *cut(size: number): Operation<void> {
    yield* this.#resizing(() => this.#change(transfer.truncate(this.storage, size)));
    this.size = size;
    this.durableSize = Math.min(this.durableSize, size);
    this.foundSize = Math.min(this.foundSize, size);
    this.blank.endAt(size);
  }

  /** Punches a hole, as far as the file goes; answers whether the storage did. It is an economy: one that cannot is not asked again. */
  *punch(offset: number, length: number): Operation<boolean> {
    if (!this.#punches) return false;
    const end = Math.min(offset + length, this.size);
    try {
      yield* this.#change(call(() => this.storage.punch!(offset, end - offset)));
      this.blank.add(offset, end);
      return true;
    } catch (error) {
      if (error instanceof CallerMistake) throw error; // a promise: it may punch at any later time
      this.#punches = false;
      return false;
    }
  }

  /** Lets a range read as zeros, as far as the file goes: punched where the storage can, else written. */
  *clear(offset: number, length: number): Operation<void> {
    if (yield* this.punch(offset, length)) return;
    const end = Math.min(offset + length, this.size);
    yield* this.writeZeros(offset, end - offset);
    this.blank.add(offset, end);
  }

  /** The next run of bytes that may be anything but zero, up to `end`; the storage tells, or it is all of it. */
  *nextData(offset: number, end: number): Operation<DataRange | undefined> {
    const data = this.storage.nextData ? yield* transfer.nextData(this.storage, offset) : { start: offset, end };
    if (data === undefined || data.start >= end) return undefined;
    return { start: Math.max(offset, data.start), end: Math.min(data.end, end) };
  }

  /** Saves bytes beside the file; answers under which name, or the bytes where the storage cannot. */
  *saveBeside(suffix: string, bytes: Uint8Array): Operation<string | Uint8Array> {
    return this.storage.saveBeside ? yield* transfer.saveBeside(this.storage, suffix, bytes) : bytes;
  }

  /** Whoever waits to grow or flush waits no longer. */
  giveUp(reason: unknown): void {
    for (const mutex of [this.#growing, this.#flushing]) mutex?.giveUp(reason);
  }

  /** Closes the storage, once: who comes meanwhile waits for the same. Where that fails, the next one tries again. */
  *close(): Operation<void> {
    if (this.#closed) return;
    let asked = false;
    const close = () => {
      asked = true;
      this.#closing ??= { answer: this.storage.close() };
      return this.#closing.answer;
    };
    try {
      yield* transfer.closeStorage({ close });
    } catch (error) {
      if (!asked) throw error; // it was abandoned meanwhile, and whoever did so closes it
      this.#closing = undefined;
      this.failedToClose = true;
      if (fieldOf(error, "code") !== "CLOSED") throw error; // else it is what was wanted
    }
    this.#closed = true;
  }

  *#change<T>(making: Operation<T>): Operation<T> {
    try {
      return yield* making;
    } finally {
      this.#changed = true; // only now: what flushed meanwhile may have missed it
    }
  }

  /** Runs what changes the file's size; where that fails, asks which size it has now. */
  *#resizing(change: (this: Medium) => Operation<void>): Operation<void> {
    try {
      yield* change.call(this);
    } catch (error) {
      try {
        this.size = yield* transfer.sizeOf(this.storage);
      } catch {
        // The error that came first says more.
      }
      throw error;
    }
  }

  /** Grows ahead; where there is no space for that, what is needed may still fit. */
  *#tryExtend(size: number): Operation<boolean> {
    try {
      yield* this.#extend(size);
      return true;
    } catch (error) {
      if (fieldOf(error, "code") !== "NO_SPACE") throw error;
      yield* this.#change(transfer.truncate(this.storage, this.size));
      return false;
    }
  }

  *#extend(size: number, how?: "sparse"): Operation<void> {
    const { preallocation, storage } = this;
    const blocks = how === undefined && preallocation.mode === "falloc";
    if (blocks && preallocation.fallback === undefined)
      preallocation.fallback = yield* this.#change(transfer.allocate(storage, this.size, size - this.size));
    if (!blocks || preallocation.fallback !== undefined) yield* this.#change(transfer.truncate(storage, size));
    this.size = size;
  }
}
