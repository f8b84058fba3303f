/**
 * Flush: the entries that wait, and all that was written, become durable; then clusters that were given up are free.
 * What to publish is fixed when the flush begins: what other requests link meanwhile, with data that is not durable
 * yet, waits for the next one.
 */
import { CallerMistake } from "../errors.js";
import { exclusively } from "../mutex.js";
import { forEach, type Operation, together } from "../operation.js";
import { type HostRun, type Image, requireOpen } from "./image.js";
import { changeHeader } from "./mark.js";
import { publishTables } from "./publish.js";

/** Makes everything that was written before durable. */
export function* flush(image: Image): Operation<void> {
  requireOpen(image);
  if (image.readOnly) return;
  yield* exclusively(image.flushing, function* () {
    requireOpen(image);
    yield* flushTables(image);
  });
}

/** The flush itself: the caller keeps others from flushing. */
export function* flushTables(image: Image): Operation<void> {
  image.medium.requireBelievable();
  // Nothing was changed here; what a writer that did not finish left may not be durable, though it reads well.
  if (!image.marked) return yield* image.medium.flush();
  if (image.tables.headerUnsure) yield* changeHeader(image, {}); // it says where the rest is
  const { held, heldCount } = image;
  image.held = [];
  image.heldCount = 0;
  try {
    yield* publishTables(image);
    yield* image.medium.flush();
  } catch (error) {
    image.held = held.concat(image.held);
    image.heldCount += heldCount;
    throw error;
  }
  yield* together(forEach(held, (run) => releaseRun(image, run)));
}

/**
 * Frees clusters that no durable BAT refers to. They are made to read as zeros first, for whoever finds bytes in a free
 * cluster calls them leaked; once free, others may write there. Where that fails they are free all the same.
 */
function* releaseRun(image: Image, run: HostRun): Operation<void> {
  try {
    yield* clearClusters(image, run);
  } catch (error) {
    if (error instanceof CallerMistake) throw error; // a promise: it may write at any later time
  }
  image.engine.release(run.first, run.count);
}

/** Lets a run of clusters read as zeros. */
export function clearClusters({ medium, grid }: Image, { first, count }: HostRun): Operation<void> {
  return medium.clear(grid.hostOffsetOf(first), count * grid.clusterSize);
}
