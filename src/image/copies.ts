/**
 * Copies of clusters, for entries that share one or lie between two: what they read now, in a cluster of their own behind
 * all that the file holds. Only data is written: what growth adds reads as zeros, and stays a hole where it can.
 */
import { scannerBeside } from "../engine/create.js";
import type { ZeroScanner } from "../engine/engine.js";
import { DiskError } from "../errors.js";
import type { Medium } from "../medium/medium.js";
import { readUpTo } from "../medium/transfer.js";
import type { Operation } from "../operation.js";
import type { BadEntry } from "./bad-entries.js";
import type { Image } from "./image.js";
import { defer } from "./publish.js";
import { growFile } from "./trim.js";

/** What is tested for zeros, and written, at once. */
const PIECE_SIZE = 64 * 1024;

export const pieceScanner = (image: Image): ZeroScanner => scannerBeside(image.engine, PIECE_SIZE);

/**
 * Gives an entry a cluster of its own.
 * @param dataEnd one past the last byte of the file that was ever written: behind it are zeros
 */
export function* copyEntry(
  image: Image,
  { cluster, entry }: BadEntry,
  dataEnd: number,
  scanner: ZeroScanner,
): Operation<void> {
  const { engine, medium, clusterSize, grid } = image;
  const hostCluster = engine.allocate(1, 0);
  if (hostCluster >= grid.hostLimit)
    throw new DiskError("NO_SPACE", `no cluster is left for a copy of cluster ${cluster}`);
  const [from, to] = [grid.fileOffsetOf(entry), grid.hostOffsetOf(hostCluster)];
  yield* growFile(image, to + clusterSize, "sparse");
  const end = Math.min(from + clusterSize, dataEnd);
  medium.blank.take(to, to + clusterSize);
  yield* eachData(medium, from, end, scanner, (bytes, at) => medium.write(bytes, to + at - from));
  engine.unlink(cluster, 1);
  engine.link(cluster, hostCluster, 1);
  defer(image, { first: cluster, count: 1, hidden: false, early: false, fileEnd: 0 });
}

/** Hands out the pieces of a range of the file that are not all zeros. */
export function* eachData(
  medium: Medium,
  from: number,
  end: number,
  scanner: ZeroScanner,
  visit: (bytes: Uint8Array, offset: number) => Operation<void>,
): Operation<void> {
  for (let at = from; at < end; ) {
    const data = yield* medium.nextData(at, end);
    if (data === undefined) return;
    at = data.start;
    const bytes = scanner.buffer.subarray(0, Math.min(scanner.buffer.length, end - at));
    const got = yield* readUpTo(medium.storage, bytes, at);
    if (got === 0) return;
    if (!scanner.isZero(0, got)) yield* visit(bytes.subarray(0, got), at);
    at += got;
  }
}
