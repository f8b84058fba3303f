/** Close: flush, give back the file's unused tail, then say "closed cleanly", in this order. */
import { fieldOf } from "../errors.js";
import { IN_USE } from "../format/header.js";
import { closeStorage } from "../medium/transfer.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import { flush } from "./flush.js";
import { trim } from "./grow.js";
import { closedError, type Image } from "./image.js";
import { beginChange, endChange } from "./mark.js";
import { locked } from "./range-locks.js";

/**
 * Closes the disk after the operations in flight. Closing twice is no error. Where making the image durable
 * fails, the disk stays open: try again, or give it up with `abandon`.
 */
export function* close(image: Image): Operation<void> {
  if (image.closed) return yield* release(image);
  yield* locked(image.locks, 0, Number.MAX_SAFE_INTEGER, true, function* () {
    if (!image.closed) yield* settle(image);
    // A flush that is still under way has its storage to its end.
    yield* exclusively(image.tasks?.flush, () => release(image));
  });
}

/**
 * Closes the storage, at once, and nothing else: the image stays as the last flush left it, marked as not closed cleanly.
 * Requests in flight end as the storage has them end, and make no further one of it; those that wait in line fail.
 */
export function* abandon(image: Image): Operation<void> {
  if (!image.closed) {
    image.closed = image.abandoned = true;
    for (const locks of [image.locks, ...Object.values(image.tasks ?? {})]) locks?.giveUp(closedError());
  }
  yield* release(image);
}

/** Closes the storage, once: who comes meanwhile waits for the same. Where that fails, the next one tries again. */
function* release(image: Image): Operation<void> {
  const { storage, ending } = image;
  if (ending.done) return;
  let asked = false;
  const close = () => {
    asked = true;
    ending.underWay ??= { answer: storage.close() };
    return ending.underWay.answer;
  };
  try {
    yield* closeStorage({ close });
  } catch (error) {
    if (!asked) throw error; // it was abandoned meanwhile, and whoever did so closes it
    ending.underWay = undefined;
    ending.failed = true;
    if (fieldOf(error, "code") !== "CLOSED") throw error; // else it is what was wanted
  }
  ending.done = image.closed = true;
}

function* settle(image: Image): Operation<void> {
  if (image.readOnly || image.header.inUse !== IN_USE.open) return; // there is no mark to clear
  yield* beginChange(image); // an unclean image that nobody changed is taken over all the same
  yield* flush(image);
  yield* trim(image);
  yield* endChange(image);
}
