/** Read: one pass over the pieces of a range; each goes straight from the file into the caller's buffer. */
import { partOf, requireKept, takeBuffer } from "../buffers.js";
import type { AnyDevice } from "../device/block-device.js";
import { readDevice } from "../device/verbs.js";
import { DiskError } from "../errors.js";
import { forEach, type Operation, together } from "../operation.js";
import { type Image, requireRequest } from "./image.js";
import { withClusters } from "./lock-clusters.js";
import { readOver } from "./parked.js";
import { type Piece, piecesOf } from "./pieces.js";

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
  return readOver(image, target, offset, readPieces(image, target, offset));
}

function* readPieces(image: Image, target: Uint8Array, offset: number): Operation<void> {
  const pieces = piecesOf(image, offset, target.length);
  yield* together(forEach(pieces, (piece) => readPiece(image, piece, target, offset)));
}

/** Reads a piece into its part of the bytes from `offset` on: others of the request ran before, so they are looked at afresh. */
function* readPiece(image: Image, piece: Piece, target: Uint8Array, offset: number): Operation<void> {
  const part = partOf(target, piece.offset - offset, piece.length);
  if (piece.fileOffset >= 0) {
    requireInside(image, piece);
    yield* image.medium.read(part, piece.fileOffset);
  } else {
    yield* readBase(image.base, part, piece.offset);
  }
}

/** Reads what lies beneath the image: the base as far as it goes, then zeros. */
export function* readBase(base: AnyDevice | undefined, target: Uint8Array, offset: number): Operation<void> {
  const covered = base === undefined ? 0 : Math.max(0, Math.min(target.length, base.size - offset));
  target.fill(0, covered);
  if (base !== undefined && covered > 0) yield* readDevice(base, target.subarray(0, covered), offset);
}

/** An entry of a damaged image may lead anywhere: its cluster is an error, never other bytes and never zeros. */
function requireInside(image: Image, { offset, length, fileOffset }: Piece): void {
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
