/**
 * Clusters that were given up: the BAT in the file may still refer to them, so they are held until the next flush, which
 * makes the BAT without them durable and sets them free.
 */
import type { Image } from "./image.js";
import { deferZeros } from "./publish.js";

/** How many bytes of them may wait for a flush before who gives up more makes one. */
export const HELD_LIMIT = 256 * 1024 * 1024;

/** Holds host clusters that no entry in memory refers to any more. */
export function hold(image: Image, first: number, count: number): void {
  image.held.push({ first, count });
  image.heldCount += count;
}

/** Takes clusters that lie in one piece out of the BAT. */
export function unlinkRun(image: Image, cluster: number, count: number): void {
  const first = image.grid.hostClusterOf(image.engine.bat[cluster]);
  image.engine.unlink(cluster, count);
  deferZeros(image, cluster, count);
  hold(image, first, count);
}
