/** What a dirty bitmap says, as ranges of the disk: what its file has, and what was noted since. */
import { bitsBeside } from "../engine/create.js";
import type { DirtyBits } from "../engine/dirty.js";
import { DiskError } from "../errors.js";
import { ALL_CLEAR, ALL_SET, bitCountOf } from "../format/extension.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import { requireLimit } from "../requests.js";
import type { DirtyRange } from "./bitmap-options.js";
import { requireBitmap } from "./bitmaps.js";
import type { Bitmap } from "./extension.js";
import { sectorsToBytes } from "./grid.js";
import { type Image, requireRequest } from "./image.js";

/** How much of a bitmap is looked at once, in bytes. */
const BLOCK_SIZE = 64 * 1024;

export interface DirtySettings {
  offset: number;
  length: number;
  limit: number;
  trustStale: boolean;
}

/** The dirty parts of a range, in order, coalesced, or at least `limit` of its beginning. @throws DiskError NOT_FOUND, STALE */
export function* dirtyRanges(image: Image, id: string, settings: DirtySettings): Operation<DirtyRange[]> {
  const { offset, length, limit, trustStale } = settings;
  requireRequest(image, offset, length);
  requireLimit(limit);
  return yield* exclusively(image.flushing, function* () {
    requireRequest(image, offset, length);
    const bitmap = requireBitmap(image, id);
    if (bitmap.stale && !trustStale) throw staleError(image, bitmap);
    const found = new Found(offset, offset + length, limit);
    const bits = bitsBeside(image.engine, 8 * Math.min(BLOCK_SIZE, image.clusterSize));
    yield* collect(image, bitmap, bits, found);
    bits.release(); // only where all went well: a read that failed may still go on
    return found.ranges.slice(0, limit);
  });
}

function staleError(image: Image, { id }: Bitmap): DiskError {
  const why = image.foundUnclean
    ? "the image was not closed cleanly after it"
    : "the image was last closed by software that says nothing of bitmaps";
  return new DiskError(
    "STALE",
    `the dirty bitmap ${id} may have missed changes: ${why}. Clear the bitmap, then copy the whole disk; or, where you know that it is up to date, use it with trustStale: true ("--trust-stale")`,
    { id },
  );
}

/** The ranges that were found, in bytes, within those that were asked for. */
class Found {
  readonly ranges: DirtyRange[] = [];

  constructor(
    readonly start: number,
    readonly end: number,
    readonly limit: number,
  ) {}

  get isFull(): boolean {
    return this.ranges.length > this.limit; // one more may still be joined by what follows
  }

  add(from: number, to: number): void {
    const [start, end] = [Math.max(from, this.start), Math.min(to, this.end)];
    const last = this.ranges[this.ranges.length - 1];
    if (start >= end) return;
    if (last !== undefined && last.offset + last.length === start) last.length += end - start;
    else this.ranges.push({ offset: start, length: end - start });
  }
}

function* collect(image: Image, bitmap: Bitmap, bits: DirtyBits, found: Found): Operation<void> {
  const bytesPerBit = sectorsToBytes(bitmap.granularity);
  const end = Math.min(Math.ceil(found.end / bytesPerBit), bitCountOf(bitmap.sectorCount, bitmap.granularity));
  for (let bit = Math.floor(found.start / bytesPerBit); bit < end && !found.isFull; ) {
    const page = Math.floor(bit / (8 * image.clusterSize));
    const pageEnd = Math.min(end, (page + 1) * 8 * image.clusterSize);
    const place = bitmap.l1[page];
    if (place === ALL_SET) {
      found.add(bit * bytesPerBit, pageEnd * bytesPerBit);
      bit = pageEnd;
    } else if (place === ALL_CLEAR && !isMarked(image, bitmap, bit, pageEnd)) {
      bit = pageEnd;
    } else {
      bit = yield* collectBlock(image, bitmap, bits, { bit, page, end: pageEnd }, found);
    }
  }
}

/** Adds what a block of a bitmap's cluster says from a bit on; answers the first bit behind it. */
function* collectBlock(
  image: Image,
  bitmap: Bitmap,
  bits: DirtyBits,
  { bit, page, end }: { bit: number; page: number; end: number },
  found: Found,
): Operation<number> {
  const bytesPerBit = sectorsToBytes(bitmap.granularity);
  const pageStart = page * 8 * image.clusterSize;
  const first = pageStart + Math.floor((bit - pageStart) / bits.bitCount) * bits.bitCount;
  const stop = Math.min(end, first + bits.bitCount);
  bits.clear(0, bits.bitCount);
  if (bitmap.l1[page] > ALL_SET) {
    const at = sectorsToBytes(bitmap.l1[page]) + (first - pageStart) / 8;
    const length = Math.min(bits.bytes.length, image.clusterSize - (first - pageStart) / 8);
    const data = yield* image.medium.nextData(at, at + length);
    if (data) yield* image.medium.read(bits.bytes.subarray(0, length), at);
  }
  for (const { from, to } of image.tracker?.runs(sectorsOfBits(bitmap, first, stop)) ?? [])
    bits.mark(
      Math.floor(from / bitmap.granularity) - first,
      Math.min(Math.ceil(to / bitmap.granularity), stop) - first,
    );
  for (let at = bits.nextSet(bit - first); at < stop - first && !found.isFull; ) {
    const next = Math.min(bits.nextClear(at), stop - first);
    found.add((first + at) * bytesPerBit, (first + next) * bytesPerBit);
    at = bits.nextSet(next);
  }
  return stop;
}

/** Whether anything was noted in a range of bits that may not be in the file. */
function isMarked(image: Image, bitmap: Bitmap, from: number, to: number): boolean {
  const runs = image.tracker?.runs(sectorsOfBits(bitmap, from, to));
  return runs !== undefined && runs.next().done === false;
}

const sectorsOfBits = ({ granularity }: Bitmap, from: number, to: number): { from: number; to: number } => ({
  from: from * granularity,
  to: to * granularity,
});
