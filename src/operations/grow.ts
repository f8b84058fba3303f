/**
 * Growth and shrinking of the file. It covers every host cluster in use before anything is written there; growing
 * takes more than is needed at once (preallocation), and close gives back what was not used.
 */
import { type DiskError, storageError } from "../errors.js";
import { type Image, TASK } from "./image.js";
import { call, type Operation } from "./operation.js";
import { locked } from "./range-locks.js";
import { truncate } from "./transfer.js";

/** How files grow. `falloc` takes real blocks, `truncate` only sets the size, `off` grows by what is needed. */
export type PreallocationMode = "falloc" | "truncate" | "off";

export interface Preallocation {
  mode: PreallocationMode;
  /** By how many bytes the file grows at least. */
  size: number;
  /** Why `falloc` is not what happens, once that is known: growing falls back to setting the size. */
  fallback: string | undefined;
}

/** Makes the file reach `end` (bytes) at least, or, "exactly", no further. */
export function* growFile(image: Image, end: number, limit?: "exactly"): Operation<void> {
  if (end <= image.fileSize) return;
  yield* locked(image.tasks, TASK.grow, TASK.grow, true, function* () {
    if (end <= image.fileSize) return;
    const ahead = image.preallocation.mode === "off" || limit ? end : aheadOf(image, end);
    if (ahead > end && (yield* tryExtend(image, ahead))) return;
    yield* extend(image, end);
  });
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

function* extend(image: Image, size: number): Operation<void> {
  const { preallocation, fileSize } = image;
  if (preallocation.mode === "falloc" && preallocation.fallback === undefined) {
    yield* allocateBlocks(image, fileSize, size - fileSize);
  }
  if (preallocation.mode !== "falloc" || preallocation.fallback !== undefined) yield* truncate(image.storage, size);
  image.fileSize = size;
}

/** Takes real blocks, or notes why the platform cannot. */
function* allocateBlocks(image: Image, offset: number, length: number): Operation<void> {
  const { storage, preallocation } = image;
  if (storage.allocate === undefined) {
    preallocation.fallback = "this storage cannot allocate blocks ahead";
    return;
  }
  try {
    yield* call(() => storage.allocate!(offset, length));
  } catch (error) {
    if ((error as DiskError).code !== "UNSUPPORTED")
      throw storageError(`allocating ${length} bytes at ${offset}`, error);
    preallocation.fallback = (error as Error).message;
  }
}
