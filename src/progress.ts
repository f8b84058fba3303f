/** How long work tells how far it is, and is told to stop. */
import { type OptionNames, requireOptions, requireSignal } from "./caller-options.js";
import { DiskError } from "./errors.js";
import { quote } from "./printable.js";

/** What callers may say of work that takes long. */
export interface WorkOptions {
  /** Called as bytes are moved: how many so far, and of how many. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  /** Ends the work at the next piece; what it leaves is named where the work is. */
  signal?: AbortSignal | undefined;
}

export const WORK_OPTIONS: OptionNames<WorkOptions> = { onProgress: true, signal: true };

export class Work {
  readonly #options: WorkOptions;
  #done = 0;
  #total = 0;

  /** @throws TypeError */
  constructor(options: WorkOptions) {
    requireOptions(options, WORK_OPTIONS);
    const { onProgress } = options;
    if (onProgress !== undefined && typeof onProgress !== "function")
      throw new TypeError(`onProgress: expected a function, got ${quote(onProgress)}`);
    requireSignal(options.signal);
    this.#options = options;
  }

  /** There is so much more to do, in bytes. */
  expect(bytes: number): void {
    this.#total += bytes;
  }

  moved(bytes: number): void {
    this.#done += bytes;
    this.#options.onProgress?.(this.#done, Math.max(this.#done, this.#total));
  }

  /** @throws DiskError ABORTED once the work is to stop */
  requireWanted(): void {
    const { signal } = this.#options;
    if (!signal?.aborted) return;
    throw new DiskError("ABORTED", "the work was stopped by its signal", {}, signal.reason);
  }
}
