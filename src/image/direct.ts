/**
 * The short way: a request that one transfer serves needs no operation. An operation's generators cost some
 * microseconds, as much as the transfer of 4 KiB itself; asking the tables here costs a few nanoseconds.
 */
import { requireKept } from "../buffers.js";
import { counted } from "../count.js";
import { requestError } from "../errors.js";
import { DISK_SYNC_NEEDS, requireNow } from "../promises.js";
import { movedBytes } from "../storage/answers.js";
import type { Storage } from "../storage/storage.js";
import { noteChange } from "./change.js";
import type { Image } from "./image.js";
import { mayShow } from "./publish.js";

/** Clusters that are looked at one by one here; a longer range is the engine's to map. */
const MAX_CLUSTERS = 16;

/** Where a guest range lies in the file if it is allocated in one piece; -1 in every other case, mistakes included. */
function directOffset(image: Image, buffer: Uint8Array, offset: number): number {
  if (!(buffer instanceof Uint8Array)) return -1;
  const { length } = buffer;
  if (image.closed || !Number.isSafeInteger(offset) || offset < 0 || !(length > 0) || offset + length > image.size) {
    return -1;
  }
  const { engine, clusterSize, grid } = image;
  const first = Math.floor(offset / clusterSize);
  const last = Math.floor((offset + length - 1) / clusterSize);
  if (last >= engine.entryCount || last - first >= MAX_CLUSTERS) return -1;
  const { bat, step } = engine;
  const entry = bat[first];
  if (entry === 0) return -1;
  for (let cluster = first + 1, next = entry + step; cluster <= last; cluster++, next += step) {
    if (bat[cluster] !== next) return -1;
  }
  const fileOffset = entry * grid.entryUnit + offset - first * clusterSize;
  return grid.isInside(offset, fileOffset, length, image.medium.size) ? fileOffset : -1;
}

/** `directOffset` for a read: not where writes are parked, which the file does not have. */
export function directReadOffset(image: Image, buffer: Uint8Array, offset: number): number {
  return image.line.parkedBytes === 0 ? directOffset(image, buffer, offset) : -1;
}

/** `directOffset` for a write: only where the disk has been marked, and nothing must be in the file before. */
export function directWriteOffset(image: Image, buffer: Uint8Array, offset: number): number {
  if (!image.marked || image.readOnly) return -1;
  const fileOffset = directOffset(image, buffer, offset);
  return fileOffset < 0 || image.line.items.length === 0 || isOrdered(image, offset, buffer.length) ? fileOffset : -1;
}

/** Whether a write may show now, as far as the order of writes goes. */
export function isOrdered(image: Image, offset: number, length: number): boolean {
  return mayShow(image, image.grid.clusterOf(offset), image.grid.clusterOf(offset + length - 1));
}

/** What a transfer failed with; @throws TypeError where its buffer is not what it was, which says more. */
export function directError(
  verb: "reading" | "writing",
  buffer: Uint8Array,
  length: number,
  fileOffset: number,
  cause: unknown,
): Error {
  requireKept(buffer, length);
  return requestError(`${verb} ${counted(length, "byte")} at ${fileOffset}`, cause);
}

/** Whether a transfer moved all of `length` bytes, where its answer must be there at once. @throws TypeError, DiskError BAD_STORAGE */
export function wasEnoughSync(storage: Storage, verb: "read" | "write", answer: unknown, length: number): boolean {
  requireNow(answer, DISK_SYNC_NEEDS);
  return movedBytes(storage, verb, answer, length) === length;
}

/** Notes a write that was made, as whatever way it succeeds or fails in. */
export function noteDirect(image: Image, offset: number, length: number): void {
  image.medium.changed();
  noteChange(image, offset, length);
}
