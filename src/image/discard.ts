/**
 * Discard and write-zeroes: afterwards the range reads as zeros. Whole clusters lose their BAT entry, which is
 * cheapest; parts of clusters are written with zeros. Over a base zeros are written throughout, as the format has
 * no "zero here" mark: an unallocated cluster shows the base. So the two verbs are one operation.
 */

import { type Operation, together } from "../operation.js";
import { withClusters } from "./clusters.js";
import { type Extent, extentsOf } from "./extents.js";
import { flush } from "./flush.js";
import { hostClusterOf, type Image, requireRange, requireWritable } from "./image.js";
import { beginChange } from "./mark.js";
import { deferZeros, publish } from "./publish.js";
import { store } from "./write.js";

/** Makes `length` bytes from `offset` read as zeros. */
export function* discard(image: Image, offset: number, length: number): Operation<void> {
  requireWritable(image);
  requireRange(image, offset, length);
  if (length === 0) return;
  yield* withClusters(image, offset, length, true, function* () {
    const extents = extentsOf(image, offset, length).filter((extent) => shows(image, extent));
    if (extents.length === 0) return;
    yield* beginChange(image);
    if (image.parkedBytes > 0) yield* publish(image); // to clusters that are given up now, perhaps
    yield* together(
      extents.map((extent) => (image.base ? store(image, extent.length, extent.offset) : free(image, extent))),
    );
    yield* publish(image); // some of it shows already, and the request is complete now
  });
  if (image.heldCount * image.clusterSize > HELD_LIMIT) yield* flush(image);
}

/** How many bytes of freed clusters may wait for a flush before discarding makes one. */
const HELD_LIMIT = 256 * 1024 * 1024;

/** Whether an extent may read as anything but zeros. */
function shows(image: Image, extent: Extent): boolean {
  return extent.fileOffset >= 0 || (image.base !== undefined && extent.offset < image.base.size);
}

/** Frees the whole clusters of an allocated extent and stores zeros in the parts of clusters at its ends. */
function* free(image: Image, extent: Extent): Operation<void> {
  const { clusterSize } = image;
  const end = extent.offset + extent.length;
  const first = Math.ceil(extent.offset / clusterSize);
  // The disk's last cluster may be cut by its end: nothing of it is left then.
  const last = end === image.size ? Math.ceil(end / clusterSize) : Math.floor(end / clusterSize);
  if (first >= last) return yield* store(image, extent.length, extent.offset);
  const [head, tail] = [first * clusterSize, last * clusterSize];
  if (extent.offset < head) yield* store(image, head - extent.offset, extent.offset);
  if (tail < end) yield* store(image, end - tail, tail);
  unlinkRun(image, first, last - first);
}

/** Takes clusters that lie in one piece out of the BAT; their host clusters stay held until the next flush. */
function unlinkRun(image: Image, cluster: number, count: number): void {
  const first = hostClusterOf(image, image.engine.bat[cluster]!);
  image.engine.unlink(cluster, count);
  deferZeros(image, cluster, count);
  image.held.push({ first, count });
  image.heldCount += count;
}
