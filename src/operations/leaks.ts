/**
 * Space that nothing refers to. Free host clusters between used ones are leaked only if they still hold bytes other
 * than zero: a cluster that was freed and punched, or never written, takes no space, and will be used again.
 */

import { createZeroScanner } from "../engine/create.js";
import type { ZeroScanner } from "../engine/engine.js";
import type { HostRun, Image } from "./image.js";
import { type Operation, together } from "./operation.js";
import { punch, rangeOf } from "./punch.js";
import { nextData, readUpTo, writeZeros } from "./transfer.js";

/** How much is looked at once, in bytes, at most: a cluster is looked at by itself. */
const SCAN_SIZE = 1024 * 1024;

/** The leaked host clusters below the image's end. */
export function* leakedRuns(image: Image): Operation<HostRun[]> {
  const { engine } = image;
  const leaked: HostRun[] = [];
  if (engine.usedCount === engine.end) return leaked;
  const scanner = createZeroScanner(engine.kind, Math.min(SCAN_SIZE, image.clusterSize));
  for (let first = engine.nextFree(0); first < engine.end; ) {
    const end = engine.nextUsed(first);
    yield* scanRun(image, { first, count: end - first }, scanner, leaked);
    first = engine.nextFree(end);
  }
  return leaked;
}

/** Adds the clusters of a free run that are not all zero to `leaked`. */
function* scanRun(image: Image, run: HostRun, scanner: ZeroScanner, leaked: HostRun[]): Operation<void> {
  const { storage, clusterSize } = image;
  const { offset: start, length: runLength } = rangeOf(image, run);
  const end = start + runLength;
  for (let offset = start; offset < end; ) {
    if (storage.nextData) {
      const data = yield* nextData(storage, offset);
      if (data === undefined || data.start >= end) return;
      offset = Math.max(offset, data.start);
    }
    const index = Math.floor((offset - start) / clusterSize);
    const stop = Math.min(end, start + (index + 1) * clusterSize);
    const length = Math.min(scanner.buffer.length, stop - offset);
    yield* readUpTo(storage, scanner.buffer.subarray(0, length), offset);
    if (scanner.isZero(0, length)) {
      offset += length;
    } else {
      append(leaked, run.first + index);
      offset = stop;
    }
  }
}

function append(runs: HostRun[], hostCluster: number): void {
  const last = runs[runs.length - 1];
  if (last !== undefined && last.first + last.count === hostCluster) last.count++;
  else runs.push({ first: hostCluster, count: 1 });
}

/** Gives leaked clusters back: punched where the storage can, else zeroed, so that they are found to be free next time. */
export function* freeLeaks(image: Image, runs: readonly HostRun[]): Operation<void> {
  yield* together(runs.map((run) => clearRun(image, run)));
  image.unflushed = true;
}

function* clearRun(image: Image, run: HostRun): Operation<void> {
  if (yield* punch(image, run)) return;
  const { offset, length } = rangeOf(image, run);
  yield* writeZeros(image.storage, offset, length);
}
