/**
 * Write-zeroes and discard. Whole clusters lose their BAT entry, which is cheapest; parts of clusters are written with
 * zeros. Over a base zeros are written throughout, as the format has no "zero here" mark: an unallocated cluster shows
 * the base. That is what write-zeroes promises; a discard leaves what lies over a base as it is.
 *
 * A range of any length is done batch by batch: memory, and what is held back for the next flush, stay bounded.
 */
import { type Operation, together } from "../operation.js";
import { changing } from "./change.js";
import { flush } from "./flush.js";
import { HELD_LIMIT, unlinkRun } from "./held.js";
import { type Image, requireRequest, requireWritable } from "./image.js";
import { withClusters } from "./lock-clusters.js";
import { type Piece, pieceBatches } from "./pieces.js";
import { publish } from "./publish.js";
import { store } from "./write.js";

/** Makes `length` bytes from `offset` read as zeros. */
export function* writeZeroes(image: Image, offset: number, length: number): Operation<void> {
  yield* clearing(image, offset, length, 0);
}

/** Gives up `length` bytes from `offset`: they read as zeros, or, where they lie over the base, as before. */
export function* discard(image: Image, offset: number, length: number): Operation<void> {
  yield* clearing(image, offset, length, image.base?.size ?? 0);
}

/** @param from what lies before it, in bytes, stays as it is */
function* clearing(image: Image, offset: number, length: number, from: number): Operation<void> {
  requireWritable(image);
  requireRequest(image, offset, length);
  const start = Math.max(offset, from);
  const rest = offset + length - start;
  if (rest <= 0) return;
  yield* withClusters(image, start, rest, true, () => clearLocked(image, start, rest));
}

/** The same for who has locked the clusters, which may lie behind the disk's end. */
export function* clearLocked(image: Image, offset: number, length: number): Operation<void> {
  for (const batch of pieceBatches(image, offset, length)) {
    const pieces = batch.filter((piece) => shows(image, piece));
    yield* changeBatch(image, pieces, () => together(pieces.map((piece) => clear(image, piece))));
  }
}

/** Changes the pieces of a batch, which are in order, and may give up clusters. */
function* changeBatch(image: Image, pieces: readonly Piece[], change: () => Operation<void>): Operation<void> {
  if (pieces.length === 0) return;
  const [first, last] = [pieces[0], pieces[pieces.length - 1]];
  yield* changing(image, first.offset, last.offset + last.length - first.offset, function* () {
    if (image.line.parkedBytes > 0) yield* publish(image); // to clusters that are given up now, perhaps
    yield* change();
    yield* publish(image); // some of it shows already, and the request may be complete now
  });
  if (image.heldCount * image.clusterSize > HELD_LIMIT) yield* flush(image);
}

/**
 * Gives up the clusters of a range (whole ones, which the caller has locked), whatever lies beneath: that shows there
 * afterwards. Who calls this knows that it reads the same, and is durable.
 */
export function* uncover(image: Image, offset: number, length: number): Operation<void> {
  for (const batch of pieceBatches(image, offset, length)) {
    const held = batch.filter(({ fileOffset }) => fileOffset >= 0);
    // biome-ignore lint/correctness/useYield: the tables change at once
    yield* changeBatch(image, held, function* () {
      for (const { offset, length } of held)
        unlinkRun(image, image.grid.clusterOf(offset), Math.ceil(length / image.clusterSize));
    });
  }
}

/** Whether a piece may read as anything but zeros. */
function shows(image: Image, piece: Piece): boolean {
  return piece.fileOffset >= 0 || (image.base !== undefined && piece.offset < image.base.size);
}

/** Stores zeros over the base, and frees what lies behind its end. */
function* clear(image: Image, piece: Piece): Operation<void> {
  const end = piece.offset + piece.length;
  const covered = Math.ceil((image.base?.size ?? 0) / image.clusterSize) * image.clusterSize;
  const over = Math.max(0, Math.min(piece.length, covered - piece.offset));
  if (over > 0) yield* store(image, over, piece.offset);
  if (over === piece.length || piece.fileOffset < 0) return;
  yield* free(image, { ...piece, offset: piece.offset + over, length: end - piece.offset - over });
}

/** Frees the whole clusters of an allocated piece and stores zeros in the parts of clusters at its ends. */
function* free(image: Image, piece: Piece): Operation<void> {
  const { clusterSize } = image;
  const end = piece.offset + piece.length;
  const first = Math.ceil(piece.offset / clusterSize);
  // The disk's last cluster may be cut by its end: nothing of it is left then.
  const last = end === image.size ? Math.ceil(end / clusterSize) : Math.floor(end / clusterSize);
  if (first >= last) return yield* store(image, piece.length, piece.offset);
  const [head, tail] = [first * clusterSize, last * clusterSize];
  if (piece.offset < head) yield* store(image, head - piece.offset, piece.offset);
  if (tail < end) yield* store(image, end - tail, tail);
  unlinkRun(image, first, last - first);
}
