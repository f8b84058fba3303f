/**
 * Write: into allocated clusters in place, into unallocated ones by allocating host clusters.
 *
 * A new cluster's whole content - what the write covers, and the base's bytes or zeros around it - is written
 * before the BAT in memory points to it. Its entry then waits to reach the file (publish.ts): a change that shows at once
 * has what waits published before it is made, and again before it is complete, for what completed meanwhile.
 */

import { partOf, requireKept, takeBuffer } from "../buffers.js";
import { NO_HOST_CLUSTER } from "../engine/engine.js";
import { DiskError } from "../errors.js";
import { forEach, type Operation, together } from "../operation.js";
import { changing } from "./change.js";
import { flush } from "./flush.js";
import { type Image, requireRequest, requireWritable } from "./image.js";
import { withClusters } from "./lock-clusters.js";
import { LONGEST_PARKED, park } from "./parked.js";
import { type Piece, piecesOf } from "./pieces.js";
import { defer, isCostly, isUrgent, mayShow, publish } from "./publish.js";
import { readBase } from "./read.js";
import { growFile } from "./trim.js";

/** Guest bytes to store: a buffer, or that many zeros. */
export type Source = Uint8Array | number;

/** Writes `buffer` to the disk at `offset`. */
export function* write(image: Image, buffer: Uint8Array, offset: number): Operation<void> {
  requireWritable(image);
  const source = takeBuffer(buffer);
  const { length } = source;
  requireRequest(image, offset, length);
  if (length === 0) return;
  const storing = function* () {
    requireKept(source, length);
    yield* store(image, source, offset);
  };
  yield* withClusters(image, offset, length, true, () => changing(image, offset, length, storing));
}

/** Stores bytes in the clusters of a range that the caller has locked. */
export function* store(image: Image, source: Source, offset: number): Operation<void> {
  const length = lengthOf(source);
  const pieces = piecesOf(image, offset, length);
  const inPlace = pieces.filter(({ fileOffset }) => fileOffset >= 0);
  if (!inOrder(image, inPlace)) {
    if (parks(image, source, pieces)) return yield* parkWrite(image, source, pieces[0]);
    yield* publish(image);
    if (typeof source !== "number") requireKept(source, length);
  }
  const runs: NewRun[] = [];
  try {
    yield* together(forEach(pieces, (piece) => storePiece(image, piece, source, offset, runs)));
  } finally {
    deferRuns(image, runs);
  }
  if (isUrgent(image) || !inOrder(image, inPlace)) yield* publish(image);
}

const inOrder = (image: Image, inPlace: readonly Piece[]): boolean =>
  inPlace.every(({ offset, length }) =>
    mayShow(image, image.grid.clusterOf(offset), image.grid.clusterOf(offset + length - 1)),
  );

/** Whether a write in place is better kept than made after a flush: one that can be made in one piece later. */
function parks(image: Image, source: Source, pieces: readonly Piece[]): source is Uint8Array {
  const inOnePiece = typeof source !== "number" && pieces.length === 1 && source.length <= LONGEST_PARKED;
  return inOnePiece && image.medium.flushError === undefined && isCostly(image);
}

function* parkWrite(image: Image, source: Uint8Array, { offset, fileOffset }: Piece): Operation<void> {
  park(image, source, offset, fileOffset);
  if (isUrgent(image)) yield* publish(image);
}

/** Stores the part of the bytes from `offset` on that belongs in a piece. */
function* storePiece(image: Image, piece: Piece, source: Source, offset: number, runs: NewRun[]): Operation<void> {
  const part = slice(source, piece.offset - offset, piece.length);
  if (piece.fileOffset >= 0) yield* put(image, part, piece.fileOffset, piece.length);
  else yield* storeNew(image, piece, part, runs);
}

/** Notes the entries of one request, to be written as one. In scattered free space they are very many runs. */
function deferRuns(image: Image, runs: readonly NewRun[]): void {
  if (runs.length === 0) return;
  let [first, end, total, hostEnd, early] = [Number.POSITIVE_INFINITY, 0, 0, 0, true];
  for (const run of runs) {
    first = Math.min(first, run.cluster);
    end = Math.max(end, run.cluster + run.count);
    hostEnd = Math.max(hostEnd, run.hostCluster + run.count);
    total += run.count;
    early &&= run.early;
  }
  const count = end - first;
  defer(image, { first, count, hidden: total === count, early, fileEnd: image.grid.hostOffsetOf(hostEnd) });
}

/** Stores bytes in a range of unallocated clusters, run by run of free host clusters; adds what it links to `runs`. */
function* storeNew(image: Image, piece: Piece, source: Source, runs: NewRun[]): Operation<void> {
  const end = piece.offset + piece.length;
  for (let offset = piece.offset; offset < end; ) {
    const cluster = image.grid.clusterOf(offset);
    const wanted = image.grid.clusterOf(end - 1) - cluster + 1;
    const rest = slice(source, offset - piece.offset, end - offset);
    try {
      offset += yield* storeRun(image, cluster, wanted, rest, offset, runs);
    } catch (error) {
      if (image.heldCount === 0 || (error as DiskError).code !== "NO_SPACE") throw error;
      yield* flush(image); // frees the clusters that were held back for it
    }
  }
}

/** Stores what fits into one run of free host clusters; answers how many bytes of `source` that was. */
function* storeRun(
  image: Image,
  cluster: number,
  wanted: number,
  source: Source,
  offset: number,
  runs: NewRun[],
): Operation<number> {
  const { engine, grid, medium, clusterSize } = image;
  const hostCluster = engine.allocate(wanted, goalFor(image, cluster));
  if (hostCluster === NO_HOST_CLUSTER) throw outOfClusters(image);
  const count = engine.allocatedRun;
  const length = Math.min(lengthOf(source), (cluster + count) * clusterSize - offset);
  const blank = medium.blank.take(grid.hostOffsetOf(hostCluster), grid.hostOffsetOf(hostCluster + count));
  // A hole that was punched may not be durable yet; what growth added is zeros once the file's length is.
  const early = blank === "grown" && (image.base === undefined || image.base.size <= cluster * clusterSize);
  const run = { cluster, hostCluster, count, early };
  try {
    yield* fillRun(image, run, blank !== undefined, slice(source, 0, length), offset);
  } catch (error) {
    engine.release(hostCluster, count);
    throw error;
  }
  engine.link(cluster, hostCluster, count);
  runs.push(run);
  return length;
}

/** Where the next cluster goes best: right behind the one before it. */
function goalFor(image: Image, cluster: number): number {
  const previous = cluster === 0 ? 0 : image.engine.bat[cluster - 1];
  return previous === 0 ? NO_HOST_CLUSTER : image.grid.hostClusterOf(previous) + 1;
}

interface NewRun {
  cluster: number;
  hostCluster: number;
  count: number;
  /** What it holds before it is filled is what the guest may find: zeros where zeros were. */
  early: boolean;
}

/** Writes the whole content of newly allocated clusters: `source` at `offset`, and what belongs around it. */
function* fillRun(image: Image, run: NewRun, blank: boolean, source: Source, offset: number): Operation<void> {
  const length = lengthOf(source); // before anything is waited for
  const fileStart = image.grid.hostOffsetOf(run.hostCluster);
  const fileEnd = fileStart + run.count * image.clusterSize;
  yield* growFile(image, fileEnd);
  const start = run.cluster * image.clusterSize;
  const sourceEnd = offset + length;
  const end = start + run.count * image.clusterSize;
  const parts: Operation<void>[] = [];
  if (offset > start) parts.push(fillAround(image, start, offset, fileStart, blank));
  if (typeof source !== "number" || !blank) parts.push(put(image, source, fileStart + offset - start, length));
  if (end > sourceEnd) parts.push(fillAround(image, sourceEnd, end, fileStart + sourceEnd - start, blank));
  yield* together(parts);
}

/** Stores what a reader saw before in `from..to` of a new cluster: the base's bytes, then zeros where there are none yet. */
function* fillAround(image: Image, from: number, to: number, fileOffset: number, blank: boolean): Operation<void> {
  const baseEnd = Math.max(from, Math.min(to, image.base?.size ?? 0));
  for (let at = from; at < baseEnd; at += COPY_SIZE) {
    const copy = new Uint8Array(Math.min(COPY_SIZE, baseEnd - at));
    yield* readBase(image.base, copy, at);
    yield* image.medium.write(copy, fileOffset + at - from);
  }
  if (!blank) yield* image.medium.writeZeros(fileOffset + baseEnd - from, to - baseEnd);
}

/** How much of the base is copied at once, in bytes. */
const COPY_SIZE = 1024 * 1024;

function put(image: Image, source: Source, fileOffset: number, length: number): Operation<void> {
  if (typeof source === "number") return image.medium.writeZeros(fileOffset, length);
  return image.medium.write(source, fileOffset, length);
}

const lengthOf = (source: Source): number => (typeof source === "number" ? source : source.length);

function slice(source: Source, from: number, length: number): Source {
  return typeof source === "number" ? length : partOf(source, from, length);
}

function outOfClusters(image: Image): DiskError {
  return new DiskError(
    "NO_SPACE",
    `no free cluster is left that the image's 32-bit BAT entries can name (cluster size ${image.clusterSize}): convert it to a larger cluster size`,
    { clusterSize: image.clusterSize },
  );
}
