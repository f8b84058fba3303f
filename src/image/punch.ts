/** Giving the blocks of host clusters back to the platform: an economy, so a storage that cannot is not asked again. */
import { CallerMistake } from "../errors.js";
import { writeZeros } from "../medium/transfer.js";
import { call, type Operation } from "../operation.js";
import { type HostRun, hostOffsetOf, type Image } from "./image.js";

/** Punches a hole where a run of clusters lies, as far as the file goes; answers whether the storage did. */
export function* punch(image: Image, run: HostRun): Operation<boolean> {
  if (!image.punches) return false;
  const { offset, length } = rangeOf(image, run);
  try {
    yield* call(() => image.storage.punch!(offset, length));
    return true;
  } catch (error) {
    if (error instanceof CallerMistake) throw error; // a promise: it may punch at any later time
    image.punches = false;
    return false;
  }
}

/** Lets a run of clusters read as zeros: punched where the storage can, else written. */
export function* clear(image: Image, run: HostRun): Operation<void> {
  if (yield* punch(image, run)) return;
  const { offset, length } = rangeOf(image, run);
  yield* writeZeros(image.storage, offset, length);
}

/** Where a run of clusters lies in the file, as far as the file goes. */
export function rangeOf(image: Image, { first, count }: HostRun): { offset: number; length: number } {
  const offset = hostOffsetOf(image, first);
  return { offset, length: Math.min(count * image.clusterSize, image.fileSize - offset) };
}
