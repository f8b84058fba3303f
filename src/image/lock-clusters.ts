/** Runs operations under the lock of the clusters they touch. */

import type { Operation } from "../operation.js";
import { type Image, requireRequest } from "./image.js";
import { locked } from "./range-locks.js";

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
  return locked(image.locks, grid.clusterOf(offset), last, exclusive, function* () {
    requireRequest(image, offset, length);
    return yield* operation();
  });
}
