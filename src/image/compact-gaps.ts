/** Gaps between the clusters in use: what lies at the file's end moves into them. */
import { NO_HOST_CLUSTER } from "../engine/engine.js";
import type { Operation } from "../operation.js";
import { LONGEST_MOVE, makeMoves, type PlannedMove } from "./compact-moves.js";
import type { CompactSettings } from "./compact-settings.js";
import { clustersIn, type GuestRun, guestRuns } from "./guest-runs.js";
import type { Image } from "./image.js";

/** Leaves no gap before the host clusters that are in use; answers how many clusters have moved. */
export function* closeGaps(image: Image, { work, windowSize }: CompactSettings): Operation<number> {
  const { engine, clusterSize } = image;
  const limit = engine.usedCount; // no more places are needed once none is free between them
  if (engine.end === limit) return 0;
  work.requireWanted();
  work.expect(countBeyond(image, limit) * clusterSize);
  let moved = 0;
  for (const moves of movesBelow(image, limit, clustersIn(windowSize, clusterSize))) {
    moved += yield* makeMoves(image, moves, work);
    work.requireWanted();
  }
  return moved;
}

/** How many guest clusters lie in the host cluster `limit` or behind it. */
export function countBeyond(image: Image, limit: number, counts: (cluster: number) => boolean = () => true): number {
  let found = 0;
  for (const { cluster, count, host } of guestRuns(image))
    for (let index = Math.max(0, limit - host); index < count; index++) if (counts(cluster + index)) found++;
  return found;
}

/** Moves of what lies behind to the lowest free places, so many clusters at a time; planned when those before are made. */
function* movesBelow(image: Image, limit: number, most: number): Generator<PlannedMove[], void, void> {
  const longest = clustersIn(LONGEST_MOVE, image.clusterSize);
  let moves: PlannedMove[] = [];
  let total = 0;
  for (const { cluster, count, host } of guestRuns(image)) {
    for (let index = Math.max(0, limit - host); index < count; ) {
      const run = {
        cluster: cluster + index,
        count: Math.min(count - index, longest, most - total),
        host: host + index,
      };
      const move = claimBelow(image, limit, run, goalFor(image, run, moves[moves.length - 1]));
      if (move === undefined) return yield moves;
      moves.push(move);
      index += move.count;
      total += move.count;
      if (total < most) continue;
      yield moves;
      [moves, total] = [[], 0];
    }
  }
  yield moves;
}

/** Behind the cluster before it, so that neighbours stay neighbours. */
function goalFor({ engine, grid }: Image, { cluster }: GuestRun, last: PlannedMove | undefined): number {
  if (last !== undefined && last.cluster + last.count === cluster) return last.to + last.count;
  const before = cluster === 0 ? 0 : engine.bat[cluster - 1];
  return before === 0 ? NO_HOST_CLUSTER : grid.hostClusterOf(before) + 1;
}

/** Claims free places below the limit for the beginning of a run. */
function claimBelow({ engine }: Image, limit: number, run: GuestRun, goal: number): PlannedMove | undefined {
  const to = engine.allocate(run.count, goal < limit ? goal : NO_HOST_CLUSTER);
  if (to === NO_HOST_CLUSTER) return undefined;
  const count = Math.min(engine.allocatedRun, Math.max(0, limit - to));
  engine.release(to + count, engine.allocatedRun - count);
  return count === 0 ? undefined : { ...run, count, to };
}
