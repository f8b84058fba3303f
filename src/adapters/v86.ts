/**
 * Disks for v86: the object that it takes as `hda`, `hdb` or `cdrom`. The guest is answered when the disk has
 * answered and never where it failed: then `onerror` is called, and the guest waits as for a drive that fell silent.
 *
 * ```js
 * import { openFile } from "parablock/node";
 * import { V86Disk } from "parablock/v86";
 *
 * const hda = new V86Disk(await openFile("disk.hds"), {
 *   onerror: ({ error, retry }) => { emulator.stop(); console.error(error.message); },
 * });
 * const emulator = new V86({ hda, ... });
 * ```
 */
// The declarations name Symbol.asyncDispose: with this a consumer's `lib` need not have it.
/// <reference lib="esnext.disposable" preserve="true" />

import { counted } from "../count.js";
import type { AnyDevice } from "../device/block-device.js";
import { DiskError, storageError } from "../errors.js";
import { isThenable } from "../promises.js";
import { TrackBuffer } from "./track-buffer.js";
import {
  addressableSize,
  busy,
  flushDelayOf,
  requireState,
  stateOf,
  type V86DiskOptions,
  type V86Failure,
} from "./v86-options.js";
import { type LineWrite, throwLater, WriteLine } from "./write-line.js";

export type { V86DiskOptions, V86Failure };

/** The third argument of v86's reads. */
export interface V86ReadOptions {
  signal?: AbortSignal;
}

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface Read {
  readonly offset: number;
  readonly length: number;
  readonly done: (bytes: Uint8Array) => void;
  /** How many writes must be done before it: those that it must see. */
  readonly after: number;
  error?: DiskError;
}

const FIRST_SECTOR = 512;

/**
 * One drive of an emulator. Owns the disk: `close` closes it.
 *
 * A write that fails stops the drive: no later write is made and no later read answered until it is made good, so the
 * disk never holds the later of two writes without the earlier. Writes by DMA (what operating systems do) are
 * acknowledged to the guest when they are done. Those by PIO (BIOS, DOS) v86 acknowledges before it passes them on:
 * there the silence afterwards is all that can be done, and stopping the emulator in `onerror`.
 */
export class V86Disk {
  readonly byteLength: number;
  /** v86 puts its continuation here before it calls `load`. */
  onload: ((event: object) => void) | undefined;
  onerror: ((failure: V86Failure) => void) | undefined;
  readonly #disk: AnyDevice;
  readonly #flushDelay: number;
  readonly #line: WriteLine;
  readonly #track: TrackBuffer;
  readonly #reads = new Set<Read>();
  #held: Read[] = [];
  #failure: DiskError | undefined;
  #cached: Piece | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchers: (() => void)[] = [];

  /** @throws RangeError for a disk of 2 TiB or more, which v86 cannot address, and for a delay that is no time */
  constructor(disk: AnyDevice, options: V86DiskOptions = {}) {
    this.#flushDelay = flushDelayOf(options);
    this.onerror = options.onerror;
    this.#disk = disk;
    this.#track = new TrackBuffer(disk);
    this.byteLength = addressableSize(disk);
    this.#line = new WriteLine(
      (bytes, offset) => {
        if (disk.write === undefined) throw new DiskError("READ_ONLY", "the disk cannot be written");
        return disk.write(bytes, offset);
      },
      () => this.#wrote(),
      (write, cause) => this.#writeFailed(write, cause),
    );
  }

  /** Requests that have no answer yet, those that failed among them. */
  get inFlight(): number {
    return this.#reads.size + this.#line.length;
  }

  /** Memory that copies of unwritten writes take. Only a guest that writes by PIO, faster than the disk, has many. */
  get pendingBytes(): number {
    return this.#line.byteLength;
  }

  /** v86 calls this first. The first sector is read ahead: v86 looks for the geometry in it, and does not wait then. */
  load(): void {
    this.get_and_cache(0, Math.min(FIRST_SECTOR, this.byteLength), () => this.onload?.({}));
  }

  get(offset: number, length: number, done: (bytes: Uint8Array) => void, options?: V86ReadOptions): void {
    if (options?.signal?.aborted) return;
    const read: Read = { offset, length, done, after: this.#line.lastTouching(offset, length) };
    this.#reads.add(read);
    options?.signal?.addEventListener("abort", () => this.#forget(read), { once: true });
    this.#ask(read);
  }

  set(offset: number, bytes: Uint8Array, done: () => void): void {
    if (this.#cached) patch(this.#cached, { offset, bytes });
    this.#track.changed(offset, bytes.length);
    this.#line.push(offset, bytes, done);
  }

  get_and_cache(offset: number, length: number, done: (bytes: Uint8Array) => void, options?: V86ReadOptions): void {
    const keep = (bytes: Uint8Array) => {
      this.#cached = { offset, bytes: bytes.slice() };
      done(bytes);
    };
    this.get(offset, length, keep, options);
  }

  /** What `get_and_cache` last read, as it is now; nothing beyond that. */
  get_from_cache(offset: number, length: number): Uint8Array | undefined {
    const { offset: start, bytes } = this.#cached ?? { offset: 0, bytes: new Uint8Array(0) };
    const isCached = offset >= start && offset + length <= start + bytes.length;
    return isCached ? bytes.slice(offset - start, offset - start + length) : undefined;
  }

  /**
   * For v86's `save_state`: the machine's part only, the bytes stay on the disk. A state goes with the disk as it was
   * then; keep a copy of the image if the guest is to run on.
   * @throws DiskError BUSY where requests are in flight: stop the emulator and `await quiesce()` first
   */
  get_state(): readonly number[] {
    if (this.inFlight > 0) throw busy(this.#reads.size, this.#line.length);
    return stateOf(this.byteLength);
  }

  /** For `restore_state`. Whoever asked before gets no answer any more. @throws RangeError for another disk's state */
  set_state(state: readonly unknown[]): void {
    requireState(state, this.byteLength);
    this.#line.forgetAnswers();
    this.#track.clear();
    for (const read of this.#reads) this.#forget(read);
  }

  /** Resolves when no request is in flight. @throws DiskError that of a request which failed and waits for its retry */
  async quiesce(): Promise<void> {
    await this.#until(
      () => this.inFlight === 0,
      () => this.#failure ?? Array.from(this.#reads).find((read) => read.error)?.error,
    );
  }

  /** Resolves when every write that the guest made before survives a loss of power. @throws DiskError where one failed */
  async flush(): Promise<void> {
    const accepted = this.#line.accepted;
    await this.#until(
      () => this.#line.written >= accepted,
      () => this.#failure,
    );
    this.#stopTimer();
    await this.#disk.flush?.();
  }

  /**
   * Makes everything durable and closes the disk; stop the emulator before. Where a write has failed this throws, and
   * the disk stays open: retry, or give up with the disk's own `abandon`.
   */
  async close(): Promise<void> {
    await this.#until(
      () => this.#line.length === 0,
      () => this.#failure,
    );
    this.#stopTimer();
    await this.#disk.close?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Asks the disk, unless the drive is silent, or what is to be read is still being written: a copy of that is at
   * hand, but the write may yet fail, and the answer would say that it worked.
   */
  #ask(read: Read): void {
    if (!this.#reads.has(read)) return; // nobody waits
    if (this.#line.stopped || this.#line.written < read.after) this.#held.push(read);
    else void this.#read(read);
  }

  async #read(read: Read): Promise<void> {
    let answer: Uint8Array | Promise<Uint8Array>;
    try {
      answer = this.#track.read(read.offset, read.length, this.#line.length === 0);
      if (isThenable(answer)) answer = await answer;
    } catch (cause) {
      this.#readFailed(read, cause);
      return;
    }
    if (this.#forget(read)) read.done(answer);
  }

  /** Answers whether the read was still wanted. */
  #forget(read: Read): boolean {
    const wanted = this.#reads.delete(read);
    this.#notify();
    return wanted;
  }

  #readFailed(read: Read, cause: unknown): void {
    if (!this.#reads.has(read)) return; // nobody waits
    const { offset, length } = read;
    const error = storageError(`reading ${counted(length, "byte")} at ${offset}`, cause, { offset, length });
    read.error = error;
    this.#report({ verb: "read", offset, length, error }, () => {
      delete read.error;
      this.#ask(read);
    });
  }

  #writeFailed({ offset, bytes: { length } }: LineWrite, cause: unknown): void {
    const error = storageError(`writing ${counted(length, "byte")} at ${offset}`, cause, { offset, length });
    this.#failure = error;
    this.#report({ verb: "write", offset, length, error }, () => this.#line.resume());
  }

  /** After each write: the drive speaks again, reads may go on, and what was written is to become durable. */
  #wrote(): void {
    this.#failure = undefined;
    for (const read of this.#held.splice(0)) this.#ask(read);
    if (this.#timer === undefined && this.#flushDelay !== Infinity) {
      this.#timer = setTimeout(() => void this.#flushNow(), this.#flushDelay);
    }
    this.#notify();
  }

  async #flushNow(): Promise<void> {
    this.#stopTimer();
    try {
      await this.flush();
    } catch (cause) {
      if (cause === this.#failure) return; // known already; the write that makes it good sets the timer again
      const error = storageError("flushing", cause);
      this.#report({ verb: "flush", offset: 0, length: 0, error }, () => void this.#flushNow());
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #report(failure: Omit<V86Failure, "retry">, again: () => void): void {
    let retried = false;
    const retry = () => {
      if (retried) return;
      retried = true;
      again();
    };
    this.#notify();
    if (this.onerror) this.onerror({ ...failure, retry });
    else throwLater(failure.error);
  }

  /** Waits for what requests bring about, as long as none has failed that stands in the way. */
  async #until(isReached: () => boolean, failureOf: () => DiskError | undefined): Promise<void> {
    while (!isReached()) {
      const failure = failureOf();
      if (failure) throw failure;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  #notify(): void {
    for (const wake of this.#watchers.splice(0)) wake();
  }
}

/** Puts what two pieces have in common into the first. */
function patch({ offset, bytes }: Piece, { offset: from, bytes: source }: Piece): void {
  const start = Math.max(offset, from);
  const end = Math.min(offset + bytes.length, from + source.length);
  if (start < end) bytes.set(source.subarray(start - from, end - from), start - offset);
}
