/**
 * Locks on guest bytes, counted in sectors. Who may change where clusters lie locks whole ones; a transfer to or from
 * where they lie already (direct.ts) locks its own bytes and with them that its clusters stay where they are, so that
 * requests for different parts of one cluster do not wait for each other. No request is about less than a sector: a
 * storage that knows but whole ones never has two of them in one.
 */

import { SECTOR_SIZE } from "../format/header.js";
import type { Operation } from "../operation.js";
import { type Image, requireRequest } from "./image.js";
import { locked, type RangeLock } from "./range-locks.js";

/** Runs `operation` while the clusters of a range (bytes, not empty) are locked, if the disk is still open then, and as large. */
export function withClusters<T>(
  image: Image,
  offset: number,
  length: number,
  exclusive: boolean,
  operation: () => Operation<T>,
): Operation<T> {
  const { grid } = image; // its cluster size is for life
  const last = grid.clusterOf(offset + length - 1);
  return lockedClusters(image, grid.clusterOf(offset), last, exclusive, function* () {
    requireRequest(image, offset, length);
    return yield* operation();
  });
}

/** Runs `operation` while the clusters `first..last` are locked. */
export function lockedClusters<T>(
  { locks, clusterSize }: Image,
  first: number,
  last: number,
  exclusive: boolean,
  operation: () => Operation<T>,
): Operation<T> {
  const sectors = clusterSize / SECTOR_SIZE;
  return locked(locks, first * sectors, (last + 1) * sectors - 1, exclusive, operation);
}

/** Locks no more than the bytes of a range, at once, or not at all. */
export function tryLockBytes(
  { locks }: Image,
  offset: number,
  length: number,
  exclusive: boolean,
): RangeLock | undefined {
  const last = Math.floor((offset + length - 1) / SECTOR_SIZE);
  return locks?.tryAcquire(Math.floor(offset / SECTOR_SIZE), last, exclusive);
}
