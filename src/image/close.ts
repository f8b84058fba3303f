/** Close: flush, give back the file's unused tail, then say "closed cleanly", in this order. */
import { IN_USE } from "../format/header.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import { closedError } from "../requests.js";
import { settleBitmaps } from "./bitmaps.js";
import { flush } from "./flush.js";
import type { Image } from "./image.js";
import { markClosed, markOpen } from "./mark.js";
import { locked } from "./range-locks.js";
import { trim } from "./trim.js";

/**
 * Closes the disk after the operations in flight. Closing twice is no error. Where making the image durable
 * fails, the disk stays open: try again, or give it up with `abandon`.
 */
export function* close(image: Image): Operation<void> {
  if (image.closed) return yield* closeMedium(image);
  yield* locked(image.locks, 0, Number.MAX_SAFE_INTEGER, true, function* () {
    if (!image.closed) yield* finish(image);
    // A flush that is still under way has its storage to its end.
    yield* exclusively(image.flushing, () => closeMedium(image));
  });
}

/**
 * Closes the storage, at once, and nothing else: the image stays as the last flush left it, marked as not closed cleanly.
 * Requests in flight end as the storage has them end, and make no further one of it; those that wait in line fail.
 */
export function* abandon(image: Image): Operation<void> {
  if (!image.closed) {
    image.closed = image.abandoned = true;
    for (const locks of [image.locks, image.flushing, image.marking, image.medium]) locks?.giveUp(closedError());
  }
  yield* closeMedium(image);
}

function* closeMedium(image: Image): Operation<void> {
  yield* image.medium.close();
  image.closed = true;
  image.tracker?.release();
  image.tracker = undefined;
}

/** Makes all durable and says "closed cleanly"; the file stays open, and the next change marks it again. */
export function* finish(image: Image): Operation<void> {
  if (image.readOnly || image.header.inUse !== IN_USE.open) return; // there is no mark to clear
  yield* markOpen(image); // an unclean image that nobody changed is taken over all the same
  const aware = yield* settleBitmaps(image);
  yield* flush(image);
  yield* trim(image);
  yield* markClosed(image, aware ? IN_USE.closedV21 : IN_USE.closed);
}
