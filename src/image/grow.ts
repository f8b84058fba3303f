/**
 * Growth and shrinking of the file. It covers every host cluster in use before anything is written there; growing
 * takes more than is needed at once (preallocation), and close gives back what was not used.
 */
import type { DiskError } from "../errors.js";
import { allocate, sizeOf, truncate } from "../medium/transfer.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import { flushData } from "./durable.js";
import { endOf } from "./findings.js";
import type { Image } from "./image.js";

/** Makes the file reach `end` (bytes) at least; "sparse": no further, and without blocks for what is added. */
export function* growFile(image: Image, end: number, how?: "sparse"): Operation<void> {
  if (end <= image.fileSize) return;
  yield* exclusively(image.tasks?.grow, function* () {
    if (end <= image.fileSize) return;
    const ahead = image.preallocation.mode === "off" || how ? end : aheadOf(image, end);
    yield* resizing(image, function* () {
      if (ahead > end && (yield* tryExtend(image, ahead))) return;
      yield* extend(image, end, how);
    });
  });
}

/** Runs what changes the file's size; where that fails, asks which size it has now. */
export function* resizing(image: Image, change: () => Operation<void>): Operation<void> {
  try {
    yield* change();
  } catch (error) {
    try {
      image.fileSize = yield* sizeOf(image.storage);
    } catch {
      // The error that came first says more.
    }
    throw error;
  }
}

/** How far to grow: the preallocation's size, but no further than the disk can still need. */
function aheadOf(image: Image, end: number): number {
  const { engine, clusterSize, fileSize, preallocation } = image;
  const wanted = Math.ceil(preallocation.size / clusterSize) * clusterSize;
  const needed = (engine.entryCount - engine.allocatedCount) * clusterSize;
  return Math.max(end, fileSize + Math.min(wanted, needed));
}

/** Grows ahead; where there is no space for that, what is needed may still fit. */
function* tryExtend(image: Image, size: number): Operation<boolean> {
  try {
    yield* extend(image, size);
    return true;
  } catch (error) {
    if ((error as DiskError).code !== "NO_SPACE") throw error;
    yield* truncate(image.storage, image.fileSize);
    return false;
  }
}

function* extend(image: Image, size: number, how?: "sparse"): Operation<void> {
  const { preallocation, fileSize } = image;
  const blocks = how === undefined && preallocation.mode === "falloc";
  if (blocks && preallocation.fallback === undefined) {
    preallocation.fallback = yield* allocate(image.storage, fileSize, size - fileSize);
  }
  if (!blocks || preallocation.fallback !== undefined) yield* truncate(image.storage, size);
  image.fileSize = size;
  image.unflushed = true;
}

/**
 * Cuts the file behind the last cluster in use, and behind what a repair spared: the BAT that needs nothing beyond is
 * durable, afterwards all else is.
 */
export function* trim(image: Image): Operation<void> {
  const end = Math.max(endOf(image), image.spared);
  if (end < image.fileSize) {
    yield* resizing(image, () => truncate(image.storage, end));
    image.fileSize = end;
    image.durableSize = Math.min(image.durableSize, end);
    image.zeroFrom = end;
    image.foundSize = Math.min(image.foundSize, end);
    image.unflushed = true;
  }
  yield* flushData(image); // the holes that the last flush punched after its end, too
}
