/** From guest ranges to pieces: the mapping that every verb walks. */
import type { Image } from "./image.js";

/** A range of guest bytes. */
export interface Range {
  /** Where it begins on the disk, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/** A part of a guest range that lies in one piece of the image's own file, or nowhere in it. */
export interface Piece {
  /** Where it begins on the disk, in bytes. */
  offset: number;
  /** In bytes. */
  length: number;
  /** Where it lies in the file, or -1 where the image has no data of its own. */
  fileOffset: number;
}

/**
 * The pieces of a guest range, in order and maximal. They are found before anything is done with them: the
 * engine's table is overwritten by the next mapping, and by every other request in flight. Where there are more than
 * `limit`, those of the beginning of the range; the last of them may be cut.
 */
export function piecesOf(image: Image, offset: number, length: number, limit = Number.POSITIVE_INFINITY): Piece[] {
  const pieces: Piece[] = [];
  if (length === 0) return pieces;
  const { engine, grid, clusterSize } = image;
  const end = offset + length;
  let cluster = grid.clusterOf(offset);
  const mappedEnd = Math.min(Math.ceil(end / clusterSize), engine.entryCount);
  while (cluster < mappedEnd) {
    const count = engine.map(cluster, mappedEnd - cluster);
    const table = engine.extents;
    for (let i = 0; i < count; i++) {
      const clusters = table[2 * i];
      const from = Math.max(cluster * clusterSize, offset);
      const to = Math.min((cluster + clusters) * clusterSize, end);
      const entry = table[2 * i + 1];
      const fileOffset = entry === 0 ? -1 : grid.fileOffsetOf(entry) + from - cluster * clusterSize;
      append(pieces, { offset: from, length: to - from, fileOffset });
      cluster += clusters;
    }
    if (pieces.length >= limit) return pieces.slice(0, limit);
  }
  // A damaged image's BAT may be too small for its disk: what it cannot map was never allocated.
  const mapped = Math.max(cluster * clusterSize, offset);
  if (mapped < end) append(pieces, { offset: mapped, length: end - mapped, fileOffset: -1 });
  return pieces;
}

/** The pieces of a range of any length, so many at a time as are handled at once; each batch is found when the one before is done with. */
export function* pieceBatches(image: Image, offset: number, length: number): Generator<Piece[], void, void> {
  const end = offset + length;
  for (let at = offset; at < end; ) {
    const batch = piecesOf(image, at, end - at, BATCH_SIZE);
    const last = batch[batch.length - 1];
    at = last.offset + last.length;
    yield batch;
  }
}

const BATCH_SIZE = 1024;

/** Joins a run that the engine's table cut. */
function append(pieces: Piece[], piece: Piece): void {
  const last = pieces[pieces.length - 1];
  const follows = last !== undefined && piece.fileOffset === (last.fileOffset < 0 ? -1 : last.fileOffset + last.length);
  if (follows) last.length += piece.length;
  else pieces.push(piece);
}
