/** Gaps between the clusters in use: what lies at the file's end moves into them. */
import { NO_HOST_CLUSTER } from "../engine/engine.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import { relocateExtension } from "./change-tables.js";
import { LONGEST_MOVE, makeMoves, type PlannedMove } from "./compact-moves.js";
import type { CompactSettings } from "./compact-settings.js";
import { clustersIn, type GuestRun, guestRuns } from "./guest-runs.js";
import type { Image } from "./image.js";
import { markOpen } from "./mark.js";

/** Leaves no gap before the host clusters that are in use; answers how many guest clusters have moved. */
export function* closeGaps(image: Image, { work, windowSize }: CompactSettings): Operation<number> {
  const { engine, clusterSize } = image;
  const limit = engine.usedCount; // no more places are needed once none is free between them
  if (engine.end === limit) return 0;
  work.requireWanted();
  work.expect(countBeyond(image, limit) * clusterSize);
  let moved = 0;
  for (const runs of runsFromEnd(image, limit, clustersIn(windowSize, clusterSize))) {
    moved += yield* makeMoves(image, movesBelow(image, limit, runs), work);
    work.requireWanted();
  }
  yield* drawIn(image, (hostCluster) => hostCluster < limit);
  return moved;
}

/** Has clusters of the format extension that must not stay where they are moved to the lowest free places. */
export function* drawIn(image: Image, stays: (hostCluster: number) => boolean): Operation<void> {
  if (image.tables.extension === undefined) return;
  // Its own cluster is written anew each time, and may have had to pass the old one.
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    yield* markOpen(image);
    if (!(yield* exclusively(image.flushing, () => relocateExtension(image, stays)))) return;
  }
}

const MOST_ATTEMPTS = 4;

/** How many host clusters are looked through for what lies in them at once: so many runs are in memory. */
const REGION = 256 * 1024;

/**
 * What lies in the host cluster `limit` or behind it, so many clusters at a time, those at the file's end first: so what is
 * left behind is one hole, and the blocks of a full device come back as they are needed.
 */
function* runsFromEnd(image: Image, limit: number, most: number): Generator<GuestRun[], void, void> {
  const { engine } = image;
  for (let end = engine.end; end > limit; ) {
    const start = Math.max(limit, end - REGION);
    const runs = runsWithin(image, start, end);
    let [batch, total]: [GuestRun[], number] = [[], 0];
    for (const run of runs) {
      for (let left = run.count; left > 0; ) {
        const count = Math.min(left, most - total);
        left -= count;
        batch.push({ cluster: run.cluster + left, host: run.host + left, count });
        total += count;
        if (total < most) continue;
        yield batch;
        [batch, total] = [[], 0];
      }
    }
    yield batch;
    end = Math.min(start, engine.end);
  }
}

/** The runs in a range of host clusters, the last one first. */
function runsWithin(image: Image, start: number, end: number): GuestRun[] {
  const runs: GuestRun[] = [];
  for (const { cluster, count, host } of guestRuns(image)) {
    const [from, to] = [Math.max(0, start - host), Math.min(count, end - host)];
    if (from < to) runs.push({ cluster: cluster + from, host: host + from, count: to - from });
  }
  return runs.sort((one, other) => other.host - one.host);
}

/** How many guest clusters lie in the host cluster `limit` or behind it. */
export function countBeyond(image: Image, limit: number, counts: (cluster: number) => boolean = () => true): number {
  let found = 0;
  for (const { cluster, count, host } of guestRuns(image))
    for (let index = Math.max(0, limit - host); index < count; index++) if (counts(cluster + index)) found++;
  return found;
}

/** Moves of runs to the lowest free places. */
function movesBelow(image: Image, limit: number, runs: readonly GuestRun[]): PlannedMove[] {
  const longest = clustersIn(LONGEST_MOVE, image.clusterSize);
  const moves: PlannedMove[] = [];
  for (const { cluster, count, host } of runs.toSorted((one, other) => one.cluster - other.cluster)) {
    for (let index = 0; index < count; ) {
      const run = { cluster: cluster + index, count: Math.min(count - index, longest), host: host + index };
      const move = claimBelow(image, limit, run, goalFor(image, run, moves[moves.length - 1]));
      if (move === undefined) return moves;
      moves.push(move);
      index += move.count;
    }
  }
  return moves;
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
