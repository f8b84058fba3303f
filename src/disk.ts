/** Disk: the asynchronous face. Requests may be made at any time; overlapping ones take effect one after the other. */
import type { BlockDevice, Extent } from "./device/block-device.js";
import { Face } from "./face.js";
import {
  type DirtyOptions,
  type DirtyRange,
  dirtySettings,
  type NewBitmapOptions,
  newBitmap,
  requireId,
} from "./image/bitmap-options.js";
import { addBitmap, clearBitmap, removeBitmap } from "./image/bitmaps.js";
import { check } from "./image/check.js";
import { abandon, close } from "./image/close.js";
import { compact } from "./image/compact.js";
import { type CompactOptions, compactSettings } from "./image/compact-settings.js";
import { createOpen } from "./image/create.js";
import { direct } from "./image/direct-async.js";
import { dirtyRanges } from "./image/dirty-ranges.js";
import { discard, writeZeroes } from "./image/discard.js";
import { flush } from "./image/flush.js";
import { open, owning } from "./image/open.js";
import { read } from "./image/read.js";
import { repair } from "./image/repair.js";
import type { CheckReport, CompactReport, RepairLevel, RepairReport } from "./image/reports.js";
import { resize } from "./image/resize.js";
import { status } from "./image/status.js";
import { undoRepair } from "./image/undo-repair.js";
import { write } from "./image/write.js";
import type { Operation } from "./operation.js";
import { type CreateOptions, createSettings, type OpenOptions, openSettings } from "./options.js";
import { runAsync } from "./run.js";
import type { Storage } from "./storage/storage.js";
import { overdueTurn } from "./turn.js";

export class Disk extends Face implements BlockDevice {
  /**
   * Opens the image in a storage. The disk owns the storage from now on: `close` closes it, and so does a failure to open.
   * @throws DiskError NOT_PARALLELS, BAD_HEADER, TRUNCATED, TOO_LARGE, CONVERTING, CORRUPT (for writing), READ_ONLY, IO
   */
  static async open(storage: Storage, options: OpenOptions = {}): Promise<Disk> {
    return new Disk(await runAsync(owning(storage, () => open(storage, openSettings(storage, options, true)))));
  }

  /**
   * Makes an empty image in a storage, over whatever it holds, and opens it. The disk owns the storage, as with `open`.
   * Nothing is changed before every option is known to be right and the base has been read.
   * @throws TypeError, RangeError for options that cannot be; DiskError as `open`
   */
  static async create(storage: Storage, options: CreateOptions): Promise<Disk> {
    return new Disk(await runAsync(owning(storage, () => createOpen(storage, createSettings(storage, options, true)))));
  }

  /** Fills `buffer` with the bytes at `offset`. @throws RangeError beyond the disk; DiskError BAD_ENTRY, IO */
  read(buffer: Uint8Array, offset: number): Promise<void> {
    return direct(this.image, "read", buffer, offset) ?? this.#run(read(this.image, buffer, offset));
  }

  /** Stores the bytes of `buffer` at `offset`; do not change the buffer before this resolves. Durable after `flush`. */
  write(buffer: Uint8Array, offset: number): Promise<void> {
    return direct(this.image, "write", buffer, offset) ?? this.#run(write(this.image, buffer, offset));
  }

  /** Makes `length` bytes from `offset` read as zeros, whichever way is cheapest: whole clusters become free, over a base zeros are written. */
  async writeZeroes(offset: number, length: number): Promise<void> {
    return this.#run(writeZeroes(this.image, offset, length));
  }

  /** Gives up `length` bytes from `offset`: they read as zeros, and whole clusters become free; over a base they stay as they are. */
  async discard(offset: number, length: number): Promise<void> {
    return this.#run(discard(this.image, offset, length));
  }

  /** Resolves when every write that resolved before this call survives a loss of power. */
  async flush(): Promise<void> {
    return this.#run(flush(this.image));
  }

  /**
   * What lies where, and in which layer, in `length` bytes from `offset` (default: to the disk's end): coalesced runs of data and
   * zeros. A fragmented disk has millions: at most `limit` come (default: 4096), and tell of the beginning of the range.
   */
  async status(offset?: number, length?: number, limit?: number): Promise<Extent[]> {
    const runs = await this.#run(status(this.image, offset, length, limit));
    await overdueTurn(); // whoever maps a disk step by step waits for nothing else
    return runs;
  }

  /**
   * Gives the disk another size, in bytes: what is added reads as zeros, whatever lies beneath; what is cut off is lost.
   * Durable when done. @throws RangeError; DiskError READ_ONLY, BUSY, CORRUPT, NO_SPACE, IO; the disk keeps its size then
   */
  async resize(size: number): Promise<void> {
    return this.#run(resize(this.image, size));
  }

  /**
   * The parts of the disk that changed since a dirty bitmap was made or cleared, in order: at most `limit` ranges (default:
   * 4096); fewer are all. @throws DiskError NOT_FOUND, STALE for one that may have missed changes
   */
  async dirtyRanges(id: string, options: DirtyOptions = {}): Promise<DirtyRange[]> {
    return this.#run(dirtyRanges(this.image, requireId(id), dirtySettings(this.image, options)));
  }

  /** Makes a dirty bitmap, in which nothing has changed yet; answers its id. @throws DiskError EXISTS, TOO_LARGE, READ_ONLY */
  async addBitmap(options: NewBitmapOptions = {}): Promise<string> {
    const { id, granularity } = newBitmap(options);
    await this.#run(addBitmap(this.image, id, granularity));
    return id;
  }

  /** Begins a dirty bitmap anew: nothing has changed since this moment. A stale one is up to date afterwards. @throws DiskError NOT_FOUND */
  async clearBitmap(id: string): Promise<void> {
    return this.#run(clearBitmap(this.image, requireId(id)));
  }

  /** @throws DiskError NOT_FOUND */
  async removeBitmap(id: string): Promise<void> {
    return this.#run(removeBitmap(this.image, requireId(id)));
  }

  /** Looks for damage and waste without changing anything. */
  async check(): Promise<CheckReport> {
    return this.#run(check(this.image));
  }

  /** Frees space that nothing uses. (Damage is repaired at opening: option `repair`; a disk that was so repaired frees nothing.) */
  async repair(level: RepairLevel): Promise<RepairReport> {
    return this.#run(repair(this.image, level));
  }

  /**
   * Makes the file as small as what it holds: frees clusters of nothing but zeros, moves what lies at the end into gaps, and
   * cuts the file. Requests go on meanwhile. Whatever ends it before, the disk reads as it did. @throws TypeError; DiskError READ_ONLY, BUSY, ABORTED, IO
   */
  async compact(options: CompactOptions = {}): Promise<CompactReport> {
    return this.#run(compact(this.image, compactSettings(options)));
  }

  /**
   * Puts back the BAT entries that a repair dropped, from the backup that it made; answers how many. The image is
   * damaged again afterwards. The storage is closed. @throws DiskError NOT_PARALLELS, UNSUPPORTED where the backup is not this image's
   */
  static async undoRepair(storage: Storage, backup: Uint8Array): Promise<number> {
    return runAsync(undoRepair(storage, backup));
  }

  /**
   * Waits for the requests in flight, makes everything durable and marks the image as closed cleanly. Where that
   * fails the disk stays open: call it again, or `abandon`. Closing twice is no error.
   */
  async close(): Promise<void> {
    return this.image.closed ? this.abandon() : this.#run(close(this.image)); // a close that failed may be made good
  }

  /** Closes the storage and nothing else: what was not flushed is lost, and the image stays marked as in use. */
  async abandon(): Promise<void> {
    return runAsync(abandon(this.image));
  }

  /** `close`; where that fails `abandon`, so that no handle is left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close();
    } catch (error) {
      // A storage that failed to close is not asked again unless somebody says so: its handle may be another's by now.
      if (!this.image.medium.failedToClose) await this.abandon();
      throw error;
    }
  }

  #run<T>(operation: Operation<T>): Promise<T> {
    return runAsync(operation, this.image);
  }
}
