/**
 * Space that nothing refers to. Free host clusters between used ones are leaked only if they still hold bytes other
 * than zero: a cluster that was freed and punched, or never written, takes no space, and will be used again.
 */

import { scannerBeside } from "../engine/create.js";
import { type Operation, together } from "../operation.js";
import { clustersIn } from "./guest-runs.js";
import { eachHolding, type TakeRun } from "./holding.js";
import type { HostRun, Image } from "./image.js";
import { clearClusters } from "./release.js";

/** How much is looked at once, in bytes, at most. */
const SCAN_SIZE = 1024 * 1024;

/** How many runs are freed at the same time. */
const RUNS_AT_ONCE = 256;

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

/**
 * Has free clusters below the image's end read as zeros, while guests go on: nobody may take one meanwhile. The caller knows
 * that nothing can mean them.
 */
export function* clearGaps(image: Image): Operation<void> {
  const { engine } = image;
  if (engine.usedCount === engine.end) return;
  const scanner = scannerBeside(engine, Math.min(SCAN_SIZE, image.medium.size));
  const most = clustersIn(GAP_SIZE, image.clusterSize);
  for (let first = engine.nextFree(0); first < engine.end; ) {
    const gap = { first, count: Math.min(engine.nextUsed(first) - first, most) };
    engine.reserve(gap.first, gap.count);
    try {
      yield* eachHolding(image, gap, scanner, (run) => clearClusters(image, run));
    } finally {
      engine.release(gap.first, gap.count);
    }
    first = engine.nextFree(first + gap.count);
  }
  scanner.release();
}

/** How much of a gap is kept from others at once, in bytes. */
const GAP_SIZE = 64 * 1024 * 1024;

/** Walks the leaked host clusters below the image's end. */
function* eachLeak(image: Image, take: TakeRun): Operation<void> {
  const { engine } = image;
  if (engine.usedCount === engine.end) return;
  const scanner = scannerBeside(engine, Math.min(SCAN_SIZE, image.medium.size));
  for (let first = engine.nextFree(0); first < engine.end; ) {
    const end = engine.nextUsed(first);
    yield* eachHolding(image, { first, count: end - first }, scanner, take);
    first = engine.nextFree(end);
  }
  // Only where all went well: a read that failed may still go on.
  scanner.release();
}
