/**
 * Clusters that were given up: the BAT in the file may still refer to them, so they are held until the next flush, which
 * makes the BAT without them durable and sets them free.
 */
import type { HostRun, Image } from "./image.js";
import { deferZeros } from "./publish.js";

/** How many bytes of them may wait for a flush before who gives up more makes one. */
export const HELD_LIMIT = 256 * 1024 * 1024;

/** Clusters that are held. */
export interface HeldRun extends HostRun {
  /** They are to be used again at once, or cut off, or are zeros: no hole has to be punched before they are free. */
  spent?: boolean;
}

/** Holds host clusters that no entry in memory refers to any more. */
export function hold(image: Image, first: number, count: number, spent = false): void {
  image.held.push({ first, count, spent });
  image.heldCount += count;
}

/** The same clusters in as few runs as they make: a hole costs the same, however long it is. */
export function joinedRuns(held: readonly HeldRun[]): HeldRun[] {
  const joined: HeldRun[] = [];
  for (const run of held.toSorted((one, other) => one.first - other.first)) {
    const last = joined[joined.length - 1];
    if (last !== undefined && last.first + last.count === run.first && last.spent === run.spent)
      last.count += run.count;
    else joined.push({ ...run });
  }
  return joined;
}

/** Takes clusters that lie in one piece out of the BAT. @param spent as in {@link HeldRun} */
export function unlinkRun(image: Image, cluster: number, count: number, spent = false): void {
  const first = image.grid.hostClusterOf(image.engine.bat[cluster]);
  image.engine.unlink(cluster, count);
  deferZeros(image, cluster, count);
  hold(image, first, count, spent);
}
