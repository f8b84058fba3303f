/**
 * Guest order: the i-th allocated cluster of the disk lies in the i-th place of the file. Window of places after window:
 * what stands there and does not belong goes to free places, then what belongs there comes, each step durable before
 * the next. So a cluster moves twice at most, and the file needs room for one window more.
 *
 * Guests go on meanwhile: what they allocate and give up may leave places behind that hold another than was planned.
 */
import { NO_HOST_CLUSTER } from "../engine/engine.js";
import { withMemory } from "../engine/memory.js";
import type { Operation } from "../operation.js";
import { drawIn } from "./compact-gaps.js";
import { LONGEST_MOVE, makeMoves, type PlannedMove } from "./compact-moves.js";
import type { CompactSettings } from "./compact-settings.js";
import { clustersIn, type GuestRun, guestRuns } from "./guest-runs.js";
import type { HostRun, Image } from "./image.js";

/** A guest cluster that lies elsewhere than in its place. */
interface Target {
  cluster: number;
  place: number;
  /** The place is kept free for it; else another cluster is to leave it. */
  claimed: boolean;
}

/** Puts the clusters of the file in the order of the disk; answers how many have moved, those twice that moved twice. */
export function* putInOrder(image: Image, { work, windowSize }: CompactSettings): Operation<number> {
  work.requireWanted();
  const misplaced = countMisplaced(image);
  if (misplaced === 0) return 0;
  work.expect(misplaced * image.clusterSize);
  if (image.tables.extension !== undefined) yield* putExtensionBehind(image);
  const standing = new Standing(image);
  const most = clustersIn(windowSize, image.clusterSize);
  const walk = { cluster: 0, place: 0 };
  let moved = 0;
  for (;;) {
    const targets = nextTargets(image, standing, walk, most);
    if (targets.length === 0) return moved;
    moved += yield* fill(image, standing, targets, work);
    work.requireWanted();
  }
}

/** How many clusters do not lie in their place. @param counts which clusters have one */
export function countMisplaced(image: Image, counts: (cluster: number) => boolean = () => true): number {
  let [place, found] = [0, 0];
  for (const { cluster, count, host } of guestRuns(image))
    for (let index = 0; index < count; index++) if (counts(cluster + index) && host + index !== place++) found++;
  return found;
}

/** Has the format extension stand behind what is put in order: it may take no place there, though some are free. */
function* putExtensionBehind(image: Image): Operation<void> {
  const { engine } = image;
  const limit = engine.allocatedCount;
  const claims: HostRun[] = [];
  try {
    for (let first = engine.nextFree(0); first < limit && first < engine.end; first = engine.nextFree(first)) {
      const count = Math.min(engine.nextUsed(first), limit) - first;
      engine.reserve(first, count);
      claims.push({ first, count });
    }
    yield* drawIn(image, (hostCluster) => hostCluster >= limit);
  } finally {
    for (const { first, count } of claims) engine.release(first, count);
  }
}

/** Which guest cluster stands in a place. What guests change meanwhile is seen by the BAT, but for what they add. */
class Standing {
  readonly #image: Image;
  /** Guest clusters from 1; 0 for none. */
  readonly #clusters: Uint32Array;

  constructor(image: Image) {
    const places = Math.min(image.engine.usedCount, image.engine.end);
    this.#image = image;
    this.#clusters = withMemory("the order of the clusters", () => new Uint32Array(places));
    for (const { cluster, count, host } of guestRuns(image))
      for (let index = 0; index < count && host + index < places; index++) this.note(cluster + index, host + index);
  }

  note(cluster: number, place: number): void {
    if (place < this.#clusters.length) this.#clusters[place] = cluster + 1;
  }

  in(place: number): number | undefined {
    const cluster = place < this.#clusters.length ? this.#clusters[place] - 1 : -1;
    return cluster >= 0 && hostOf(this.#image, cluster) === place ? cluster : undefined;
  }
}

/** The next clusters that are to move into their places, as many as are handled at once; free places are claimed. */
function nextTargets(
  image: Image,
  standing: Standing,
  walk: { cluster: number; place: number },
  most: number,
): Target[] {
  const { engine } = image;
  const targets: Target[] = [];
  for (; walk.cluster < engine.entryCount && targets.length < most; walk.cluster++) {
    const host = hostOf(image, walk.cluster);
    if (host === undefined) continue;
    // Places that a guest has taken meanwhile are passed over.
    while (walk.place !== host && !isFree(image, walk.place) && standing.in(walk.place) === undefined) walk.place++;
    const place = walk.place++;
    if (place === host) continue;
    const claimed = isFree(image, place);
    if (claimed) engine.reserve(place, 1);
    targets.push({ cluster: walk.cluster, place, claimed });
  }
  return targets;
}

/** Has clusters in their places. */
function* fill(
  image: Image,
  standing: Standing,
  targets: readonly Target[],
  work: CompactSettings["work"],
): Operation<number> {
  let moved = 0;
  try {
    const evictions = evictionsOf(image, standing, targets);
    if (evictions.length > 0) {
      work.expect(evictions.reduce((sum, { count }) => sum + count, 0) * image.clusterSize);
      moved += yield* makeMoves(image, noted(standing, evictions), work, true);
    }
  } catch (error) {
    for (const { place, claimed } of targets) if (claimed) image.engine.release(place, 1);
    throw error;
  }
  return moved + (yield* makeMoves(image, noted(standing, movesInto(image, targets)), work, true));
}

function noted(standing: Standing, moves: PlannedMove[]): PlannedMove[] {
  for (const { cluster, count, to } of moves)
    for (let index = 0; index < count; index++) standing.note(cluster + index, to + index);
  return moves;
}

/** Moves of what stands in places that are not its own, to the lowest free ones. */
function evictionsOf(image: Image, standing: Standing, targets: readonly Target[]): PlannedMove[] {
  const { engine } = image;
  const moves: PlannedMove[] = [];
  for (const run of runsIn(image, targets, standing)) {
    for (let done = 0; done < run.count; ) {
      const to = engine.allocate(run.count - done, NO_HOST_CLUSTER);
      if (to === NO_HOST_CLUSTER) return moves; // who waits for a place stays where it is
      moves.push({ cluster: run.cluster + done, host: run.host + done, count: engine.allocatedRun, to });
      done += engine.allocatedRun;
    }
  }
  return moves;
}

/** The runs that stand in places that nobody claimed. */
function* runsIn(image: Image, targets: readonly Target[], standing: Standing): Generator<GuestRun, void, void> {
  const longest = clustersIn(LONGEST_MOVE, image.clusterSize);
  let run: GuestRun | undefined;
  for (const { place, claimed } of targets) {
    const cluster = claimed ? undefined : standing.in(place);
    if (cluster === undefined) continue;
    const next = run !== undefined && run.cluster + run.count === cluster && run.host + run.count === place;
    if (next && run !== undefined && run.count < longest) run.count++;
    else {
      if (run !== undefined) yield run;
      run = { cluster, count: 1, host: place };
    }
  }
  if (run !== undefined) yield run;
}

/** Moves of clusters into their places, where those are free now. */
function movesInto(image: Image, targets: readonly Target[]): PlannedMove[] {
  const { engine } = image;
  const longest = clustersIn(LONGEST_MOVE, image.clusterSize);
  const moves: PlannedMove[] = [];
  for (const { cluster, place, claimed } of targets) {
    if (!claimed && !isFree(image, place)) continue;
    const host = hostOf(image, cluster);
    if (host === undefined) {
      if (claimed) engine.release(place, 1);
      continue;
    }
    if (!claimed) engine.reserve(place, 1);
    const last = moves[moves.length - 1];
    const follows =
      last !== undefined &&
      last.count < longest &&
      last.cluster + last.count === cluster &&
      last.host + last.count === host &&
      last.to + last.count === place;
    if (follows) last.count++;
    else moves.push({ cluster, count: 1, host, to: place });
  }
  return moves;
}

const isFree = ({ engine }: Image, place: number): boolean => engine.nextFree(place) === place;

function hostOf({ engine, grid }: Image, cluster: number): number | undefined {
  const entry = engine.bat[cluster];
  return entry === 0 ? undefined : grid.hostClusterOf(entry);
}
