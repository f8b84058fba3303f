/** A dirty bitmap never misses a change: whatever reads otherwise than when it began to be followed must be dirty. */
import type { DirtyRange } from "../src/image/bitmap-options.js";
import type { AnyDisk } from "../test/support/faces.js";
import { Fault } from "./fault.js";
import type { Model } from "./model.js";

/** What the disk read as when each bitmap that is up to date began to be followed, by its id. */
export type Followed = Map<string, Model>;

/** More ranges than a disk of the fuzzer has. */
const LIMIT = 100_000;

/** Follows the bitmaps that are up to date, and forgets those that are not, or are gone. */
export function follow(disk: AnyDisk, followed: Followed, model: Model): void {
  const current = disk.bitmaps.filter(({ stale }) => !stale).map(({ id }) => id);
  for (const id of followed.keys()) if (!current.includes(id)) followed.delete(id);
  for (const id of current) if (!followed.has(id)) followed.set(id, model.copy());
}

/** Compares what the bitmaps say with what changed. */
export async function requireMarked(disk: AnyDisk, followed: Followed, now: Model): Promise<void> {
  for (const [id, before] of followed) {
    const ranges = await disk.dirtyRanges(id, { limit: LIMIT });
    requireOrder(ranges, disk.size);
    const missed = firstMissed(ranges, before, now);
    if (missed >= 0) throw new Fault(`a dirty bitmap misses byte ${missed}`);
  }
}

function requireOrder(ranges: readonly DirtyRange[], size: number): void {
  let end = -1;
  for (const { offset, length } of ranges) {
    if (offset <= end || length <= 0 || offset + length > size)
      throw new Fault(`dirty ranges are in no order: ${JSON.stringify(ranges)}`);
    end = offset + length;
  }
}

/** The first byte that is not as it was, and in no range; -1 if there is none. */
function firstMissed(ranges: readonly DirtyRange[], before: Model, now: Model): number {
  let index = 0;
  for (let at = 0; at < now.length; at++) {
    while (index < ranges.length && ranges[index].offset + ranges[index].length <= at) index++;
    if (index < ranges.length && ranges[index].offset <= at) continue;
    const isKnown = now.known[at] === 1 && (at >= before.length || before.known[at] === 1);
    if (isKnown && (at >= before.size || before.bytes[at] !== now.bytes[at])) return at;
  }
  return -1;
}
