/**
 * Flush: the entries that wait, and all that was written, become durable; then clusters that were given up are free.
 * What to publish is fixed when the flush begins: what other requests link meanwhile, with data that is not durable
 * yet, waits for the next one.
 */
import { fieldOf } from "../errors.js";
import { exclusively } from "../mutex.js";
import { forEach, type Operation, together } from "../operation.js";
import { saveMarks } from "./bitmap-marks.js";
import { releaseDoubtful } from "./extension-write.js";
import { damages } from "./findings.js";
import { type HeldRun, joinedRuns } from "./held.js";
import { type Image, requireOpen } from "./image.js";
import { changeHeader } from "./mark.js";
import { publishTables } from "./publish.js";
import { releaseRun } from "./release.js";

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
  yield* releaseDoubtful(image);
  const { held, heldCount } = image;
  image.held = [];
  image.heldCount = 0;
  try {
    yield* saveMarksIfRoom(image);
    yield* publishTables(image);
    yield* image.medium.flush();
  } catch (error) {
    image.held = held.concat(image.held);
    image.heldCount += heldCount;
    throw error;
  }
  yield* together(forEach(joinedRuns(held), (run) => releaseHeld(image, run)));
}

function* releaseHeld(image: Image, run: HeldRun): Operation<void> {
  if (run.spent) image.engine.release(run.first, run.count);
  else yield* releaseRun(image, run);
}

/**
 * What is flushed is durable whether or not there is room for what the bitmaps say of it: they get it at the next flush.
 * So they do in the midst of a repair, when the cluster of a bitmap may be what an entry leads to.
 */
function* saveMarksIfRoom(image: Image): Operation<void> {
  if (image.tracker === undefined || damages(image).length > 0) return;
  try {
    yield* saveMarks(image);
  } catch (error) {
    if (fieldOf(error, "code") !== "NO_SPACE") throw error;
  }
}
