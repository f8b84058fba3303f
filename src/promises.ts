/**
 * The one place that says what a promise is, and what happens to one where an answer must be there at once: it is
 * refused, and what becomes of it is nobody's unhandled rejection.
 */
import { CallerMistake } from "./errors.js";

/** Whether an answer comes later: anything with a `then`, whichever realm or library made it. */
export function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  if ((typeof answer !== "object" && typeof answer !== "function") || answer === null) return false;
  return typeof (answer as { then?: unknown }).then === "function";
}

/** Refuses a promise. @throws TypeError with this message, which says what must answer at once and what to use instead */
export function requireNow(answer: unknown, message: string): void {
  if (!isThenable(answer)) return;
  answer.then(undefined, () => {});
  throw new CallerMistake(message);
}

/** What the synchronous face says to one. */
export const DISK_SYNC_NEEDS =
  "storage, base: expected answers at once, got a promise: DiskSync stands on what answers at once, as MemoryStorage, FileStorageSync and OpfsStorage do; use Disk for others";
