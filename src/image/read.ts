/** Read: one pass over the extents of a range; each goes straight from the file into the caller's buffer. */
import { partOf, requireKept, takeBuffer } from "../buffers.js";
import { DiskError } from "../errors.js";
import { readFully } from "../medium/transfer.js";
import { type Operation, together } from "../operation.js";
import { withClusters } from "./clusters.js";
import { type Extent, extentsOf } from "./extents.js";
import { type Base, clusterOf, type Image, requireRange } from "./image.js";
import { readOver } from "./parked.js";

/** Fills `buffer` with the disk's bytes from `offset`. */
export function* read(image: Image, buffer: Uint8Array, offset: number): Operation<void> {
  const target = takeBuffer(buffer);
  const { length } = target;
  requireRange(image, offset, length);
  if (length === 0) return;
  yield* withClusters(image, offset, length, false, function* () {
    yield* readOver(image, target, offset, readExtents(image, target, offset));
    requireKept(target, length);
  });
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
    yield* readFully(image.storage, target, extent.fileOffset);
  } else {
    yield* readBase(image.base, target, extent.offset);
  }
}

/** Reads what lies beneath the image: the base as far as it goes, then zeros. */
export function* readBase(base: Base | undefined, target: Uint8Array, offset: number): Operation<void> {
  const covered = base === undefined ? 0 : Math.max(0, Math.min(target.length, base.size - offset));
  target.fill(0, covered);
  if (covered > 0) yield* readFully(base!, target.subarray(0, covered), offset);
}

/** Whether file bytes lie in the data area. */
export function isInside(image: Image, offset: number, fileOffset: number, length: number): boolean {
  return fileOffset - (offset % image.clusterSize) >= image.dataStart && fileOffset + length <= image.fileSize;
}

/** An entry of a damaged image may lead anywhere: its cluster is an error, never other bytes and never zeros. */
function requireInside(image: Image, { offset, length, fileOffset }: Extent): void {
  if (isInside(image, offset, fileOffset, length)) return;
  const { dataStart, fileSize } = image;
  // A run that begins in the data area leaves it at the file's end: the clusters before are good.
  const good = fileOffset - (offset % image.clusterSize) < dataStart ? 0 : Math.max(0, fileSize - fileOffset);
  const cluster = clusterOf(image, offset + good);
  const entryOffset = fileOffset + cluster * image.clusterSize - offset;
  throw new DiskError(
    "BAD_ENTRY",
    `cluster ${cluster} cannot be read: its BAT entry leads to byte ${entryOffset}, outside the data area ${dataStart}..${fileSize}; run "parablock check"`,
    { cluster, fileOffset: entryOffset, dataStart, fileSize },
  );
}
