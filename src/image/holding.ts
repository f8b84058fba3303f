/**
 * What clusters of the file hold: anything but zeros, or not. Holes are not read where the storage tells of them, and a
 * cluster only as far as the first piece of it that is not all zeros.
 */
import type { ZeroScanner } from "../engine/engine.js";
import type { Operation } from "../operation.js";
import type { DataRange } from "../storage/storage.js";
import type { HostRun, Image } from "./image.js";

/** What is done with a run of clusters; the walk goes on afterwards. A fragmented file has millions of them. */
export type TakeRun = (run: HostRun) => Operation<void>;

/** Takes the clusters of a run that are not all zero, neighbours as one run; read piece by piece into the scanner's buffer. */
export function* eachHolding(image: Image, run: HostRun, scanner: ZeroScanner, take: TakeRun): Operation<void> {
  const { medium, clusterSize, grid } = image;
  const start = grid.hostOffsetOf(run.first);
  const length = Math.min(run.count * clusterSize, medium.size - start);
  let holding: HostRun = { first: run.first, count: 0 };
  for (let offset = start; offset < start + length; ) {
    const piece = yield* nextPiece(image, offset, start + length, scanner.buffer.length);
    if (piece === undefined) break;
    yield* medium.read(scanner.buffer.subarray(0, piece.end - piece.start), piece.start);
    offset = piece.end;
    for (const index of clustersIn(piece, scanner, start, clusterSize)) {
      const cluster = run.first + index;
      if (cluster !== holding.first + holding.count) {
        if (holding.count > 0) yield* take(holding);
        holding = { first: cluster, count: 0 };
      }
      holding.count++;
      offset = Math.max(offset, start + (index + 1) * clusterSize); // what else it holds does not matter
    }
  }
  if (holding.count > 0) yield* take(holding);
}

/** The next bytes of the file, as many as are looked at once, that may be anything but zero. */
function* nextPiece({ medium }: Image, offset: number, end: number, most: number): Operation<DataRange | undefined> {
  const data = yield* medium.nextData(offset, end);
  return data && { start: data.start, end: Math.min(data.start + most, data.end) };
}

/** The clusters, counted from the one at `start`, of which a piece that was read holds more than zeros. */
function* clustersIn(
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
