/**
 * Moving clusters: what they hold is copied to other host clusters, then their entries lead there. The entries wait in the
 * line and reach the file once the copies are durable; the old clusters are free after the flush that follows.
 */
import { forEach, type Operation, together } from "../operation.js";
import { eachData, pieceScanner } from "./copies.js";
import { hold } from "./held.js";
import type { Image } from "./image.js";
import { defer } from "./publish.js";
import { growFile } from "./trim.js";

/** Guest clusters that are neighbours in the file, too, and where they go: host clusters that the caller has allocated. */
export interface Move {
  cluster: number;
  count: number;
  to: number;
}

/**
 * Moves clusters that the caller has locked, and of which nothing is parked. Where it fails, none has moved; `to` stays the caller's.
 * @param spent the places that they leave are used again at once, or cut off
 */
export function* moveClusters(image: Image, moves: readonly Move[], spent = false): Operation<void> {
  yield* together(forEach(moves, (move) => copyRun(image, move)));
  for (const move of moves) relink(image, move, spent);
}

function* copyRun(image: Image, { cluster, count, to }: Move): Operation<void> {
  const { engine, grid, medium, clusterSize } = image;
  const length = count * clusterSize;
  const start = grid.hostOffsetOf(to);
  yield* growFile(image, start + length);
  const blank = medium.blank.take(start, start + length) !== undefined;
  yield* copyWithin(image, grid.fileOffsetOf(engine.bat[cluster]), length, start, blank);
}

/**
 * Copies a range of the file to another place in it: what is not zeros, and zeros where that place may hold anything else.
 * @param blank the place reads as zeros
 */
export function* copyWithin(
  image: Image,
  from: number,
  length: number,
  start: number,
  blank: boolean,
): Operation<void> {
  const { medium } = image;
  const scanner = pieceScanner(image);
  let done = 0;
  yield* eachData(medium, from, from + length, scanner, function* (bytes, at) {
    const offset = at - from;
    if (!blank) yield* medium.writeZeros(start + done, offset - done);
    yield* medium.write(bytes, start + offset);
    done = offset + bytes.length;
  });
  if (!blank) yield* medium.writeZeros(start + done, length - done);
  // Only where all went well: a transfer that failed may still go on.
  scanner.release();
}

function relink(image: Image, { cluster, count, to }: Move, spent: boolean): void {
  const { engine, grid } = image;
  const first = grid.hostClusterOf(engine.bat[cluster]);
  engine.unlink(cluster, count);
  engine.link(cluster, to, count);
  defer(image, { first: cluster, count, hidden: false, early: false, fileEnd: 0 });
  hold(image, first, count, spent);
}
