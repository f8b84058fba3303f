/** DiskSync: the synchronous face, the same verbs over storages that answer at once: Node files, OPFS in a worker, memory. */
import { partOf } from "./buffers.js";
import type { BlockDeviceSync, Extent } from "./device/block-device.js";
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
import { directError, directRead, directWrite, noteDirect, type Place, wasEnoughSync } from "./image/direct.js";
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
import { type CreateOptions, createSettings, type OpenOptions, openSettings } from "./options.js";
import { runSync } from "./run.js";
import type { StorageSync } from "./storage/storage.js";

/** Beneath a synchronous disk lies what answers at once, too. */
export type OpenOptionsSync = OpenOptions<BlockDeviceSync | StorageSync>;
export type CreateOptionsSync = CreateOptions<BlockDeviceSync | StorageSync>;

export class DiskSync extends Face implements BlockDeviceSync {
  /**
   * Opens the image in a storage. The disk owns the storage from now on: `close` closes it, and so does a failure to open.
   * @throws DiskError NOT_PARALLELS, BAD_HEADER, TRUNCATED, TOO_LARGE, CONVERTING, CORRUPT (for writing), READ_ONLY, IO
   */
  static open(storage: StorageSync, options: OpenOptionsSync = {}): DiskSync {
    return new DiskSync(runSync(owning(storage, () => open(storage, openSettings(storage, options, false)))));
  }

  /**
   * Makes an empty image in a storage, over whatever it holds, and opens it. The disk owns the storage, as with `open`.
   * Nothing is changed before every option is known to be right and the base has been read.
   * @throws TypeError, RangeError for options that cannot be; DiskError as `open`
   */
  static create(storage: StorageSync, options: CreateOptionsSync): DiskSync {
    return new DiskSync(runSync(owning(storage, () => createOpen(storage, createSettings(storage, options, false)))));
  }

  /** Fills `buffer` with the bytes at `offset`. @throws RangeError beyond the disk; DiskError BAD_ENTRY, IO */
  read(buffer: Uint8Array, offset: number): void {
    const done = this.#readDirect(buffer, offset);
    if (done === 0) runSync(read(this.image, buffer, offset));
    else if (done < buffer.length) runSync(read(this.image, restOf(buffer, done), offset + done));
  }

  /** Stores the bytes of `buffer` at `offset`. Durable after `flush`. */
  write(buffer: Uint8Array, offset: number): void {
    if (!this.#writeDirect(buffer, offset)) runSync(write(this.image, buffer, offset));
  }

  /** Makes `length` bytes from `offset` read as zeros, whichever way is cheapest: whole clusters become free, over a base zeros are written. */
  writeZeroes(offset: number, length: number): void {
    runSync(writeZeroes(this.image, offset, length));
  }

  /** Gives up `length` bytes from `offset`: they read as zeros, and whole clusters become free; over a base they stay as they are. */
  discard(offset: number, length: number): void {
    runSync(discard(this.image, offset, length));
  }

  /** Returns when everything written before survives a loss of power. */
  flush(): void {
    runSync(flush(this.image));
  }

  /**
   * What lies where, and in which layer, in `length` bytes from `offset` (default: to the disk's end): coalesced runs of data and
   * zeros. A fragmented disk has millions: at most `limit` come (default: 4096), and tell of the beginning of the range.
   */
  status(offset?: number, length?: number, limit?: number): Extent[] {
    return runSync(status(this.image, offset, length, limit));
  }

  /**
   * Gives the disk another size, in bytes: what is added reads as zeros, whatever lies beneath; what is cut off is lost.
   * Durable when done. @throws RangeError; DiskError READ_ONLY, BUSY, CORRUPT, NO_SPACE, IO; the disk keeps its size then
   */
  resize(size: number): void {
    runSync(resize(this.image, size));
  }

  /**
   * The parts of the disk that changed since a dirty bitmap was made or cleared, in order: at most `limit` ranges (default:
   * 4096); fewer are all. @throws DiskError NOT_FOUND, STALE for one that may have missed changes
   */
  dirtyRanges(id: string, options: DirtyOptions = {}): DirtyRange[] {
    return runSync(dirtyRanges(this.image, requireId(id), dirtySettings(this.image, options)));
  }

  /** Makes a dirty bitmap, in which nothing has changed yet; answers its id. @throws DiskError EXISTS, TOO_LARGE, READ_ONLY */
  addBitmap(options: NewBitmapOptions = {}): string {
    const { id, granularity } = newBitmap(options);
    runSync(addBitmap(this.image, id, granularity));
    return id;
  }

  /** Begins a dirty bitmap anew: nothing has changed since this moment. A stale one is up to date afterwards. @throws DiskError NOT_FOUND */
  clearBitmap(id: string): void {
    runSync(clearBitmap(this.image, requireId(id)));
  }

  /** @throws DiskError NOT_FOUND */
  removeBitmap(id: string): void {
    runSync(removeBitmap(this.image, requireId(id)));
  }

  /** Looks for damage and waste without changing anything. */
  check(): CheckReport {
    return runSync(check(this.image));
  }

  /** Frees space that nothing uses. (Damage is repaired at opening: option `repair`; a disk that was so repaired frees nothing.) */
  repair(level: RepairLevel): RepairReport {
    return runSync(repair(this.image, level));
  }

  /**
   * Makes the file as small as what it holds: frees clusters of nothing but zeros, moves what lies at the end into gaps, and
   * cuts the file. Whatever ends it before, the disk reads as it did. @throws TypeError; DiskError READ_ONLY, BUSY, ABORTED, IO
   */
  compact(options: CompactOptions = {}): CompactReport {
    return runSync(compact(this.image, compactSettings(options)));
  }

  /**
   * Puts back the BAT entries that a repair dropped, from the backup that it made; answers how many. The image is
   * damaged again afterwards. The storage is closed. @throws DiskError NOT_PARALLELS, UNSUPPORTED where the backup is not this image's
   */
  static undoRepair(storage: StorageSync, backup: Uint8Array): number {
    return runSync(undoRepair(storage, backup));
  }

  /**
   * Makes everything durable and marks the image as closed cleanly. Where that
   * fails the disk stays open: call it again, or `abandon`. Closing twice is no error.
   */
  close(): void {
    runSync(close(this.image));
  }

  /** Closes the storage and nothing else: what was not flushed is lost, and the image stays marked as in use. */
  abandon(): void {
    runSync(abandon(this.image));
  }

  /** `close`; where that fails `abandon`, so that no handle is left behind. */
  [Symbol.dispose](): void {
    try {
      this.close();
    } catch (error) {
      // A storage that failed to close is not asked again unless somebody says so: its handle may be another's by now.
      if (!this.image.medium.failedToClose) this.abandon();
      throw error;
    }
  }

  /** Reads piece by piece, as far as each is one transfer; answers how many bytes that were. */
  #readDirect(buffer: Uint8Array, offset: number): number {
    let done = 0;
    for (let place = directRead(this.image, buffer, offset); place !== undefined; ) {
      if (!this.#readPlace(partOf(buffer, done, place.length), place)) break;
      done += place.length;
      if (done === buffer.length) break;
      place = directRead(this.image, restOf(buffer, done), offset + done);
    }
    return done;
  }

  /** Whether one transfer was enough; where it was short, the operation does it all again. */
  #readPlace(buffer: Uint8Array, { storage, fileOffset }: Place): boolean {
    const { length } = buffer;
    try {
      const answer = storage.read(buffer, fileOffset);
      return answer === length || wasEnoughSync(storage, "read", answer, length);
    } catch (error) {
      throw directError("reading", buffer, length, fileOffset, error);
    }
  }

  /** The same of a write, which is made as a whole. */
  #writeDirect(buffer: Uint8Array, offset: number): boolean {
    const place = directWrite(this.image, buffer, offset);
    if (place === undefined) return false;
    const { storage, fileOffset } = place;
    const { length } = buffer;
    try {
      const answer = storage.write(buffer, fileOffset);
      return answer === length || wasEnoughSync(storage, "write", answer, length);
    } catch (error) {
      throw directError("writing", buffer, length, fileOffset, error);
    } finally {
      noteDirect(this.image, offset, length);
    }
  }
}

const restOf = (buffer: Uint8Array, done: number): Uint8Array => partOf(buffer, done, buffer.length - done);
