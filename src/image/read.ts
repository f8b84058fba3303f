/** Read: one pass over the extents of a range; each goes straight from the file into the caller's buffer. */
import { partOf, requireKept, takeBuffer } from "../buffers.js";
import type { AnyDevice } from "../device/block-device.js";
import { readDevice } from "../device/verbs.js";
import { DiskError } from "../errors.js";
import { type Operation, together } from "../operation.js";
import { type Extent, extentsOf } from "./extents.js";
import { type Image, requireRequest } from "./image.js";
import { withClusters } from "./lock-clusters.js";
import { readOver } from "./parked.js";

/** Fills `buffer` with the disk's bytes from `offset`. */
export function* read(image: Image, buffer: Uint8Array, offset: number): Operation<void> {
  const target = takeBuffer(buffer);
  const { length } = target;
  requireRequest(image, offset, length);
  if (length === 0) return;
  yield* withClusters(image, offset, length, false, function* () {
    yield* readLocked(image, target, offset);
    requireKept(target, length);
  });
}

/** The same for who has locked the clusters. */
export function readLocked(image: Image, target: Uint8Array, offset: number): Operation<void> {
  return readOver(image, target, offset, readExtents(image, target, offset));
}

function* readExtents(image: Image, target: Uint8Array, offset: number): Operation<void> {
  const extents = extentsOf(image, offset, target.length);
  yield* together(
    extents.map((extent) => readExtent(image, extent, partOf(target, extent.offset - offset, extent.length))),
  );
}

function* readExtent(image: Image, extent: Extent, target: Uint8Array): Operation<void> {
  requireKept(target, extent.length); // others of the request ran before
  if (extent.fileOffset >= 0) {
    requireInside(image, extent);
    yield* image.medium.read(target, extent.fileOffset);
  } else {
    yield* readBase(image.base, target, extent.offset);
  }
}

/** Reads what lies beneath the image: the base as far as it goes, then zeros. */
export function* readBase(base: AnyDevice | undefined, target: Uint8Array, offset: number): Operation<void> {
  const covered = base === undefined ? 0 : Math.max(0, Math.min(target.length, base.size - offset));
  target.fill(0, covered);
  if (base !== undefined && covered > 0) yield* readDevice(base, target.subarray(0, covered), offset);
}

/** An entry of a damaged image may lead anywhere: its cluster is an error, never other bytes and never zeros. */
function requireInside(image: Image, { offset, length, fileOffset }: Extent): void {
  const { grid, clusterSize } = image;
  const fileSize = image.medium.size;
  if (grid.isInside(offset, fileOffset, length, fileSize)) return;
  const { dataStart } = grid;
  // A run that begins in the data area leaves it at the file's end: the clusters before are good.
  const good = fileOffset - (offset % clusterSize) < dataStart ? 0 : Math.max(0, fileSize - fileOffset);
  const cluster = grid.clusterOf(offset + good);
  const entryOffset = fileOffset + cluster * clusterSize - offset;
  throw new DiskError(
    "BAD_ENTRY",
    `cluster ${cluster} cannot be read: its BAT entry leads to byte ${entryOffset}, outside the data area ${dataStart}..${fileSize}; run "parablock check"`,
    { cluster, fileOffset: entryOffset, dataStart, fileSize },
  );
}
