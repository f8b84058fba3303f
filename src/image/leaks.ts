/**
 * Space that nothing refers to. Free host clusters between used ones are leaked only if they still hold bytes other
 * than zero: a cluster that was freed and punched, or never written, takes no space, and will be used again.
 */

import { scannerBeside } from "../engine/create.js";
import type { ZeroScanner } from "../engine/engine.js";
import { type Operation, together } from "../operation.js";
import type { DataRange } from "../storage/storage.js";
import { clearClusters } from "./flush.js";
import type { HostRun, Image } from "./image.js";

/** How much is looked at once, in bytes, at most. */
const SCAN_SIZE = 1024 * 1024;

/** How many runs are freed at the same time. */
const RUNS_AT_ONCE = 256;

/** What is done with a run of leaked clusters; the walk goes on afterwards. A fragmented file has millions of them. */
type TakeRun = (run: HostRun) => Operation<void>;

/** How many host clusters below the image's end are leaked. */
export function* countLeaks(image: Image): Operation<number> {
  let count = 0;
  // biome-ignore lint/correctness/useYield: counting asks for nothing
  yield* eachLeak(image, function* (run) {
    count += run.count;
  });
  return count;
}

/** Gives leaked clusters back: punched where the storage can, else zeroed, so that they are found to be free next time. */
export function* freeLeaks(image: Image): Operation<void> {
  let runs: HostRun[] = [];
  const clearAll = function* (): Operation<void> {
    yield* together(runs.map((run) => clearClusters(image, run)));
    runs = [];
  };
  yield* eachLeak(image, function* (run) {
    if (runs.push(run) === RUNS_AT_ONCE) yield* clearAll();
  });
  yield* clearAll();
}

/** Walks the leaked host clusters below the image's end. */
function* eachLeak(image: Image, take: TakeRun): Operation<void> {
  const { engine } = image;
  if (engine.usedCount === engine.end) return;
  const scanner = scannerBeside(engine, Math.min(SCAN_SIZE, image.medium.size));
  for (let first = engine.nextFree(0); first < engine.end; ) {
    const end = engine.nextUsed(first);
    yield* scanRun(image, { first, count: end - first }, scanner, take);
    first = engine.nextFree(end);
  }
  // Only where all went well: a read that failed may still go on.
  scanner.release();
}

/** Takes the clusters of a free run that are not all zero, neighbours as one run. */
function* scanRun(image: Image, free: HostRun, scanner: ZeroScanner, take: TakeRun): Operation<void> {
  const { medium, clusterSize, grid } = image;
  const start = grid.hostOffsetOf(free.first);
  const length = Math.min(free.count * clusterSize, medium.size - start);
  let leaked: HostRun = { first: free.first, count: 0 };
  for (let offset = start; offset < start + length; ) {
    const piece = yield* nextPiece(image, offset, start + length);
    if (piece === undefined) break;
    yield* medium.read(scanner.buffer.subarray(0, piece.end - piece.start), piece.start);
    offset = piece.end;
    for (const index of leakedIn(piece, scanner, start, clusterSize)) {
      const cluster = free.first + index;
      if (cluster !== leaked.first + leaked.count) {
        if (leaked.count > 0) yield* take(leaked);
        leaked = { first: cluster, count: 0 };
      }
      leaked.count++;
      offset = Math.max(offset, start + (index + 1) * clusterSize); // what else it holds does not matter
    }
  }
  if (leaked.count > 0) yield* take(leaked);
}

/** The next bytes of the file, as many as are looked at once, that may be anything but zero. */
function* nextPiece({ medium }: Image, offset: number, end: number): Operation<DataRange | undefined> {
  const data = yield* medium.nextData(offset, end);
  return data && { start: data.start, end: Math.min(data.start + SCAN_SIZE, data.end) };
}

/** The clusters, counted from the one at `start`, of which a piece that was read holds more than zeros. */
function* leakedIn(
  piece: DataRange,
  scanner: ZeroScanner,
  start: number,
  clusterSize: number,
): Generator<number, void, void> {
  if (scanner.isZero(0, piece.end - piece.start)) return;
  for (let at = piece.start; at < piece.end; ) {
    const index = Math.floor((at - start) / clusterSize);
    const partEnd = Math.min(start + (index + 1) * clusterSize, piece.end);
    if (!scanner.isZero(at - piece.start, partEnd - at)) yield index;
    at = partEnd;
  }
}
