/**
 * Clusters that hold nothing but zeros: they need no place in the file where nothing shows beneath them. Over a base
 * they hide it, and stay.
 *
 * They are looked for while readers go on, window by window; what was found is looked at once more, and loses its
 * entries, while nobody else has it.
 */
import { scannerBeside } from "../engine/create.js";
import type { ZeroScanner } from "../engine/engine.js";
import type { Operation } from "../operation.js";
import type { CompactSettings } from "./compact-settings.js";
import { flush } from "./flush.js";
import { type GuestRun, guestRuns, type Window, windowsOf } from "./guest-runs.js";
import { HELD_LIMIT, unlinkRun } from "./held.js";
import { eachHolding } from "./holding.js";
import { type Image, requireOpen } from "./image.js";
import { lockedClusters } from "./lock-clusters.js";
import { markOpen } from "./mark.js";
import { publish, publishOf } from "./publish.js";

/** What is read at once, in bytes: of a larger cluster that holds anything this tells, mostly. */
const PIECE_SIZE = 64 * 1024;

/** Frees clusters that hold nothing but zeros; answers how many. */
export function* freeZeros(image: Image, settings: CompactSettings): Operation<number> {
  let freed = 0;
  yield* eachZeros(image, settings, function* (runs, scanner) {
    freed += yield* freeRuns(image, runs, scanner);
    if (image.heldCount * image.clusterSize > HELD_LIMIT) yield* flush(image);
  });
  return freed;
}

/** Hands out the clusters of nothing but zeros where nothing shows beneath, window by window. */
export function* eachZeros(
  image: Image,
  { work, windowSize }: CompactSettings,
  take: (runs: GuestRun[], scanner: ZeroScanner) => Operation<void>,
): Operation<void> {
  const { engine, clusterSize } = image;
  const uncovered = Math.ceil((image.base?.size ?? 0) / clusterSize);
  const scanner = scannerBeside(engine, PIECE_SIZE);
  work.expect(engine.allocatedCount * clusterSize);
  for (const window of windowsOf(image, windowSize)) {
    work.requireWanted();
    const runs = Array.from(guestRuns(image, window));
    if (runs.length === 0) continue;
    const scanned = { first: Math.max(window.first, uncovered), last: window.last };
    const zeros = yield* lockedClusters(image, window.first, window.last, false, () =>
      zerosIn(image, scanned, scanner),
    );
    if (zeros.length > 0) yield* take(zeros, scanner);
    work.moved(runs.reduce((sum, { count }) => sum + count, 0) * clusterSize);
  }
  // Only where all went well: a read that failed may still go on.
  scanner.release();
}

/** The runs of nothing but zeros in a window that the caller has locked; what is written over them and waits, is not seen. */
function* zerosIn(image: Image, window: Window, scanner: ZeroScanner): Operation<GuestRun[]> {
  requireOpen(image);
  const zeros: GuestRun[] = [];
  for (const run of guestRuns(image, window)) {
    let at = 0;
    const skipTo = (next: number): void => {
      if (next > at) zeros.push({ cluster: run.cluster + at, count: next - at, host: run.host + at });
    };
    // biome-ignore lint/correctness/useYield: noting asks for nothing
    yield* eachHolding(image, { first: run.host, count: run.count }, scanner, function* ({ first, count }) {
      skipTo(first - run.host);
      at = first - run.host + count;
    });
    skipTo(run.count);
  }
  return zeros;
}

/** Frees what is still nothing but zeros. */
function* freeRuns(image: Image, runs: readonly GuestRun[], scanner: ZeroScanner): Operation<number> {
  const [first, end] = [runs[0].cluster, endOf(runs[runs.length - 1])];
  let freed = 0;
  yield* lockedClusters(image, first, end - 1, true, function* () {
    yield* publishOf(image, first, end - 1);
    const found: GuestRun[] = [];
    for (const run of runs)
      found.push(...(yield* zerosIn(image, { first: run.cluster, last: endOf(run) - 1 }, scanner)));
    if (found.length === 0) return;
    yield* markOpen(image);
    for (const { cluster, count } of found) {
      unlinkRun(image, cluster, count, true);
      freed += count;
    }
    yield* publish(image); // before anybody gives these clusters others
  });
  return freed;
}

const endOf = ({ cluster, count }: GuestRun): number => cluster + count;
