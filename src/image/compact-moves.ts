/**
 * Moves of a disk in use: their targets are claimed when they are planned, and each is made under the lock of its own
 * clusters. Where a guest has given such a cluster up meanwhile, it stays as it is.
 */
import { forEach, type Operation, quietly, together } from "../operation.js";
import type { Work } from "../progress.js";
import { flush } from "./flush.js";
import type { GuestRun } from "./guest-runs.js";
import { type Image, requireOpen } from "./image.js";
import { lockedClusters } from "./lock-clusters.js";
import { markOpen } from "./mark.js";
import { moveClusters } from "./move.js";
import { publishOf } from "./publish.js";
import { clearClusters } from "./release.js";

/** A run of guest clusters, where it lies, and the claimed host clusters to which it goes. */
export interface PlannedMove extends GuestRun {
  to: number;
}

/** Guest bytes of one move at most: so long a guest waits for its cluster. */
export const LONGEST_MOVE = 4 * 1024 * 1024;

/** Makes moves and has them durable; answers how many clusters have moved. Claims that were not needed are given back. @param spent as in `moveClusters` */
export function* makeMoves(image: Image, moves: readonly PlannedMove[], work: Work, spent = false): Operation<number> {
  if (moves.length === 0) return 0;
  const pending = new Set(moves);
  let moved = 0;
  const make = function* (move: PlannedMove): Operation<void> {
    if (!(yield* moveRun(image, move, spent))) return;
    pending.delete(move);
    moved += move.count;
    work.moved(move.count * image.clusterSize);
  };
  try {
    yield* markOpen(image);
    yield* together(forEach(moves, make));
  } finally {
    for (const { to, count } of pending) image.engine.release(to, count);
  }
  yield* flush(image);
  return moved;
}

/** Makes one move, if it can still be made; answers whether it was. */
function* moveRun(image: Image, move: PlannedMove, spent: boolean): Operation<boolean> {
  const [first, last] = [move.cluster, move.cluster + move.count - 1];
  return yield* lockedClusters(image, first, last, true, function* () {
    requireOpen(image);
    if (!liesThere(image, move)) return false;
    yield* publishOf(image, first, last);
    try {
      yield* moveClusters(image, [move], spent);
    } catch (error) {
      yield* quietly(clearClusters(image, { first: move.to, count: move.count })); // the half of a copy would be a leak
      throw error;
    }
    return true;
  });
}

/** Whether a run still lies where it lay when its move was planned. */
function liesThere({ engine, grid }: Image, { cluster, count, host }: GuestRun): boolean {
  const { bat, step } = engine;
  const entry = grid.origin + host * step;
  for (let index = 0; index < count; index++) if (bat[cluster + index] !== entry + index * step) return false;
  return true;
}
