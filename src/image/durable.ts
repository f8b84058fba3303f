/**
 * The storage's flush under an open image. Once it has failed the system may have dropped what it could not write, and
 * calls those pages clean: a flush that succeeds later says nothing of them. So none is believed any more.
 */
import { DiskError } from "../errors.js";
import { flushStorage } from "../medium/transfer.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import type { Image } from "./image.js";

/** Makes durable what was written to the storage since it was last flushed; a flush that is under way is waited for. */
export function* flushData(image: Image): Operation<void> {
  yield* exclusively(image.tasks?.data, function* () {
    requireBelievable(image);
    if (!image.unflushed) return;
    const { fileSize } = image;
    image.unflushed = false;
    try {
      yield* flushStorage(image.storage);
      image.durableSize = fileSize;
    } catch (error) {
      image.unflushed = true;
      image.flushError = error;
      throw error;
    }
  });
}

/** @throws DiskError FLUSH_FAILED once a flush has failed */
export function requireBelievable({ flushError }: Image): void {
  if (flushError === undefined) return;
  throw new DiskError(
    "FLUSH_FAILED",
    "an earlier flush failed, so what was written since the last good one may be lost: close the disk, find the cause, and open it again",
    {},
    flushError,
  );
}
