/** What a dirty bitmap says, walked from the disk's beginning to its end in bounded memory. */
import type { DirtyRange, Disk } from "../index.js";
import { about } from "./failure.js";

/** Ranges that are asked for at once. */
const RANGES_AT_ONCE = 4096;

/** What becomes of stale bitmaps: said wherever there are some. */
export const STALE_NOTE =
  "a stale bitmap may have missed changes: all its bits are set when the disk has been written on and is closed; `bitmap clear`, with which a full backup begins, makes it current; --trust-stale uses it as it is, where the last writer is known to have kept it";

/** A part of the disk that changed, or that did not. */
export interface DirtyRun extends DirtyRange {
  dirty: boolean;
}

/** Which bitmap, and whether it is believed where it may have missed changes. */
export interface DirtySource {
  id: string;
  trustStale?: boolean | undefined;
}

/** Does something with a disk; what goes wrong names its file. */
export const aboutDisk = <T>(disk: Disk, work: () => Promise<T>): Promise<T> => about(disk.path ?? "the image", work);

/** The dirty ranges of a disk, in order. @throws DiskError NOT_FOUND, STALE */
export async function* dirtyRangesOf(disk: Disk, { id, trustStale = false }: DirtySource): AsyncGenerator<DirtyRange> {
  for (let offset = 0; ; ) {
    const options = { offset, limit: RANGES_AT_ONCE, trustStale };
    const ranges = await aboutDisk(disk, () => disk.dirtyRanges(id, options));
    yield* ranges;
    const last = ranges[ranges.length - 1];
    if (ranges.length < RANGES_AT_ONCE) return;
    offset = last.offset + last.length;
  }
}

/** The whole disk: what is dirty and what is not, by turns. */
export async function* dirtyRunsOf(disk: Disk, source: DirtySource): AsyncGenerator<DirtyRun> {
  let offset = 0;
  for await (const range of dirtyRangesOf(disk, source)) {
    if (range.offset > offset) yield { offset, length: range.offset - offset, dirty: false };
    yield { ...range, dirty: true };
    offset = range.offset + range.length;
  }
  if (offset < disk.size) yield { offset, length: disk.size - offset, dirty: false };
}

/** How much of a disk is dirty. */
export interface DirtyAmount {
  dirtyRanges: number;
  dirtyBytes: number;
}

export async function dirtyAmountOf(disk: Disk, source: DirtySource): Promise<DirtyAmount> {
  const amount = { dirtyRanges: 0, dirtyBytes: 0 };
  for await (const { length } of dirtyRangesOf(disk, source)) {
    amount.dirtyRanges++;
    amount.dirtyBytes += length;
  }
  return amount;
}
