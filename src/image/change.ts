/**
 * The one point that every change of guest bytes passes: a write, a discard, zeros, a repair. Before it the file says
 * "open for writing"; after it, whether it succeeded or not, whoever wants to know is told the range, its dirty bitmaps first. (That the file holds
 * something that is not durable is known by the medium.)
 */
import type { Operation } from "../operation.js";
import type { Image } from "./image.js";
import { markOpen } from "./mark.js";

/** Makes a change in a range of guest bytes whose clusters the caller has locked. */
export function* changing(image: Image, offset: number, length: number, make: () => Operation<void>): Operation<void> {
  yield* markOpen(image);
  try {
    yield* make();
  } finally {
    noteChange(image, offset, length);
  }
}

/** Tells of a change that was made where the file was marked already; what lies behind the disk's end nobody sees. */
export function noteChange(image: Image, offset: number, length: number): void {
  image.generation++;
  const seen = Math.min(length, image.size - offset);
  if (seen <= 0) return;
  image.tracker?.note(offset, seen);
  image.onChange?.(offset, seen);
}
