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

/** Refuses a promise; `needed` says what must answer at once, and what to use instead. @throws TypeError */
export function requireNow(answer: unknown, needed: string): void {
  if (!isThenable(answer)) return;
  answer.then(undefined, () => {});
  throw new CallerMistake(`expected an answer at once, got a promise: ${needed}`);
}

/** What the synchronous face says to one. */
export const DISK_SYNC_NEEDS =
  "DiskSync needs a storage, and a base, that answer at once, as MemoryStorage, FileStorageSync and OpfsStorage do; use Disk for others";
