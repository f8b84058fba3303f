/** What callers say of dirty bitmaps, checked where it comes in, and what they are told of them. */
import { type OptionNames, requireFlags, requireOptions } from "../caller-options.js";
import { STATUS_LIMIT } from "../device/block-device.js";
import { isPowerOfTwo } from "../format/extension.js";
import { SECTOR_SIZE } from "../format/header.js";
import { parseUuid, randomUuid } from "../format/uuid.js";
import { quote } from "../printable.js";
import type { DirtySettings } from "./dirty-ranges.js";
import { bitmapsOf } from "./extension.js";
import { sectorsToBytes } from "./grid.js";
import type { Image } from "./image.js";

/** A dirty bitmap of a disk: which parts of it changed since the bitmap was made or cleared. */
export interface BitmapInfo {
  /** A UUID. */
  id: string;
  /** How many bytes of the disk one bit stands for. */
  granularity: number;
  /**
   * It may have missed changes: the image was not closed cleanly, or by software that says nothing of bitmaps. When a
   * disk that was written on is closed, such bitmaps get all bits set, and are up to date again.
   */
  stale: boolean;
}

export interface NewBitmapOptions {
  /** A UUID. Default: a new one. */
  id?: string | undefined;
  /** How many bytes of the disk one bit stands for: a power of two, at least 512. Default: 64 KiB. */
  granularity?: number | undefined;
}

export interface DirtyOptions {
  /** Where the range begins on the disk, in bytes. Default: 0. */
  offset?: number | undefined;
  /** Its length in bytes. Default: to the disk's end. */
  length?: number | undefined;
  /** How many ranges are answered at most. Default: 4096. */
  limit?: number | undefined;
  /** Takes a stale bitmap for one that is up to date. Default: false, that is an error. */
  trustStale?: boolean | undefined;
}

/** A part of the disk that changed, in bytes. */
export interface DirtyRange {
  offset: number;
  length: number;
}

const NEW_OPTIONS: OptionNames<NewBitmapOptions> = { id: true, granularity: true };
const DIRTY_OPTIONS: OptionNames<DirtyOptions> = { offset: true, length: true, limit: true, trustStale: true };
const DEFAULT_GRANULARITY = 64 * 1024;
const MAX_GRANULARITY = 2 ** 31 * SECTOR_SIZE;

/** The bitmaps of an image that can be believed, but for what stale ones may have missed. */
export function bitmapInfos(image: Image): BitmapInfo[] {
  return bitmapsOf(image.tables.extension).map(({ id, granularity, stale }) => ({
    id,
    granularity: sectorsToBytes(granularity),
    stale,
  }));
}

/** @throws TypeError, RangeError */
export function requireId(id: unknown): string {
  if (typeof id !== "string") throw new TypeError(`id: expected a UUID, got ${quote(id)}`);
  const uuid = parseUuid(id);
  if (uuid === undefined)
    throw new RangeError(`id: expected a UUID such as e4f2eed0-37fe-4539-b50b-85d2e7fd235f, got ${quote(id)}`);
  return uuid;
}

/** A new bitmap's id, and its granularity in sectors. @throws TypeError, RangeError */
export function newBitmap(options: NewBitmapOptions): { id: string; granularity: number } {
  requireOptions(options, NEW_OPTIONS);
  const { id = randomUuid(), granularity = DEFAULT_GRANULARITY } = options;
  if (!isPowerOfTwo(granularity) || granularity < SECTOR_SIZE || granularity > MAX_GRANULARITY)
    throw new RangeError(
      `granularity: expected a power of two from ${SECTOR_SIZE} to ${MAX_GRANULARITY} bytes, got ${quote(granularity)}`,
    );
  return { id: requireId(id), granularity: granularity / SECTOR_SIZE };
}

/** @throws TypeError, RangeError */
export function dirtySettings(image: Image, options: DirtyOptions): DirtySettings {
  requireOptions(options, DIRTY_OPTIONS);
  const { offset = 0, length = image.size - offset, limit = STATUS_LIMIT, trustStale = false } = options;
  requireFlags({ trustStale });
  return { offset, length, limit, trustStale };
}
