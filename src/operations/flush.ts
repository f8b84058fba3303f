/**
 * Flush: data before BAT. The BAT blocks to write are copied when the flush begins, so what other requests link
 * meanwhile, with data that is not durable yet, waits for the next flush.
 */
import { DIRTY_BLOCK_SIZE } from "../engine/engine.js";
import { HEADER_SIZE } from "../format/header.js";
import { flushData, requireBelievable } from "./durable.js";
import { type HostRun, type Image, requireOpen, TASK } from "./image.js";
import { clearEmptyFlag } from "./mark.js";
import { type Operation, together } from "./operation.js";
import { punch } from "./punch.js";
import { locked } from "./range-locks.js";
import { writeFully } from "./transfer.js";

/** Makes everything that was written before durable. */
export function* flush(image: Image): Operation<void> {
  requireOpen(image);
  if (image.readOnly) return;
  yield* locked(image.tasks, TASK.flush, TASK.flush, true, function* () {
    requireOpen(image);
    yield* flushTables(image);
  });
}

interface BatRun {
  firstBlock: number;
  blockCount: number;
  bytes: Uint8Array;
}

/** The flush itself: the caller keeps others from flushing. */
export function* flushTables(image: Image): Operation<void> {
  requireBelievable(image);
  // Nothing was changed here; what a writer that did not finish left may not be durable, though it reads well.
  if (!image.marked) return yield* flushData(image);
  const runs = takeDirtyRuns(image);
  const { held, heldCount } = image;
  image.held = [];
  image.heldCount = 0;
  try {
    yield* flushData(image);
    if (runs.length > 0) {
      yield* together(
        runs.map((run) => writeFully(image.storage, run.bytes, HEADER_SIZE + run.firstBlock * DIRTY_BLOCK_SIZE)),
      );
      image.unflushed = true;
      yield* flushData(image);
    }
    if (image.emptyFlag) yield* clearEmptyFlag(image);
  } catch (error) {
    for (const run of runs) image.engine.setDirty(run.firstBlock, run.blockCount, true);
    image.held = held.concat(image.held);
    image.heldCount += heldCount;
    throw error;
  }
  yield* together(held.map((run) => releaseRun(image, run)));
}

/** Frees clusters that no durable BAT refers to. Their blocks go first: once free, others may write there. */
function* releaseRun(image: Image, run: HostRun): Operation<void> {
  if (yield* punch(image, run)) image.unflushed = true;
  image.engine.release(run.first, run.count);
}

/** Copies the dirty BAT blocks, neighbours as one run, and calls them clean. */
function takeDirtyRuns({ engine }: Image): BatRun[] {
  const runs: BatRun[] = [];
  for (let block = engine.nextDirtyBlock(0); block >= 0; ) {
    const firstBlock = block;
    do block++;
    while (engine.nextDirtyBlock(block) === block);
    const bytes = engine.batBytes.slice(firstBlock * DIRTY_BLOCK_SIZE, block * DIRTY_BLOCK_SIZE);
    engine.setDirty(firstBlock, block - firstBlock, false);
    runs.push({ firstBlock, blockCount: block - firstBlock, bytes });
    block = engine.nextDirtyBlock(block);
  }
  return runs;
}
