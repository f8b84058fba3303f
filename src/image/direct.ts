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

/** Where a range, or the beginning of one, lies in one piece. */
export interface Place {
  readonly storage: Storage;
  readonly fileOffset: number;
  /** Of the range, in bytes. */
  readonly length: number;
}

/** Where a read finds its first bytes in one piece: in the image, or in the chain beneath it. Not where writes are parked, which the file does not have. */
export function directRead(image: Image, buffer: Uint8Array, offset: number): Place | undefined {
  if (image.line.parkedBytes > 0 || !isRequest(image, buffer, offset)) return undefined;
  const { clusterSize, chain } = image;
  const first = Math.floor(offset / clusterSize);
  const last = Math.floor((offset + buffer.length - 1) / clusterSize);
  if (chain === undefined || image.engine.bat[first] !== 0) return placeIn(image, first, last, offset, buffer.length);
  return isAbsent(image, first, last) ? chain.directPlace(first, last, offset, buffer.length) : undefined;
}

/**
 * Where a write goes in one piece: only where the disk has been marked, and nothing must be in the file before. Never the
 * beginning alone: of a write that has ended the file shows all or nothing.
 */
export function directWrite(image: Image, buffer: Uint8Array, offset: number): Place | undefined {
  if (!image.marked || image.readOnly || !isRequest(image, buffer, offset)) return undefined;
  const { clusterSize } = image;
  const last = Math.floor((offset + buffer.length - 1) / clusterSize);
  const place = placeIn(image, Math.floor(offset / clusterSize), last, offset, buffer.length);
  if (place?.length !== buffer.length) return undefined;
  return image.line.items.length === 0 || isOrdered(image, offset, buffer.length) ? place : undefined;
}

/** Whether a request may go the short way; mistakes go the long one, which names them. */
function isRequest(image: Image, buffer: Uint8Array, offset: number): boolean {
  if (!(buffer instanceof Uint8Array) || image.closed) return false;
  const { length } = buffer;
  return Number.isSafeInteger(offset) && offset >= 0 && length > 0 && offset + length <= image.size;
}

/** Where clusters lie in the image's own file, as far as in one piece. */
function placeIn(image: Image, first: number, last: number, offset: number, length: number): Place | undefined {
  const { engine, grid, medium } = image;
  if (last >= engine.entryCount) return undefined;
  const { bat, step } = engine;
  const entry = bat[first];
  if (entry === 0) return undefined;
  const limit = Math.min(last + 1, first + MAX_CLUSTERS);
  let end = first + 1;
  for (let next = entry + step; end < limit && bat[end] === next; end++) next += step;
  const inPiece = end > last ? length : end * grid.clusterSize - offset;
  const fileOffset = entry * grid.entryUnit + offset - first * grid.clusterSize;
  if (!grid.isInside(offset, fileOffset, inPiece, medium.size)) return undefined;
  return { storage: medium.storage, fileOffset, length: inPiece };
}

/** Whether the image has nothing of few clusters. */
function isAbsent({ engine: { bat, entryCount } }: Image, first: number, last: number): boolean {
  if (last >= entryCount || last - first >= MAX_CLUSTERS) return false;
  for (let cluster = first; cluster <= last; cluster++) if (bat[cluster] !== 0) return false;
  return true;
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
