/** The file's length beside what is used of it: it grows ahead of the clusters in use, and is cut behind them at the end. */
import type { Operation } from "../operation.js";
import type { Image } from "./image.js";

/** Makes the file reach `end` (bytes) at least, and further as is usual, but no further than the disk can still need. */
export function growFile(image: Image, end: number, how?: "sparse"): Operation<void> {
  return image.medium.grow(end, () => aheadOf(image), how);
}

function aheadOf({ engine, clusterSize, medium }: Image): number {
  const wanted = Math.ceil(medium.preallocation.size / clusterSize) * clusterSize;
  const needed = (engine.entryCount - engine.allocatedCount) * clusterSize;
  return medium.size + Math.min(wanted, needed);
}

/**
 * Cuts the file behind the last cluster in use, and behind what a repair spared: the BAT that needs nothing beyond is
 * durable, afterwards all else is.
 */
export function* trim({ medium, tables }: Image): Operation<void> {
  const end = Math.max(tables.end, tables.spared);
  if (end < medium.size) yield* medium.cut(end);
  yield* medium.flush(); // the holes that the last flush punched after its end, too
}
