/** Work that puts an image's clusters elsewhere: one at a time, as each relies on what the other would change. */
import { DiskError } from "../errors.js";
import type { Operation } from "../operation.js";
import type { Image } from "./image.js";

/** Runs what must have no other of its kind beside it. Reads and writes go on. @throws DiskError BUSY */
export function* alone<T>(image: Image, work: () => Operation<T>): Operation<T> {
  if (image.rearranged)
    throw new DiskError(
      "BUSY",
      "the disk is being committed, rebased, compacted or resized already: wait until that has ended",
    );
  image.rearranged = true;
  try {
    return yield* work();
  } finally {
    image.rearranged = false;
  }
}
