/** How a V86Disk is set up, what it asks of its disk, and what it says where something fails. */

import { type OptionNames, requireOptions } from "../caller-options.js";
import type { AnyDevice } from "../device/block-device.js";
import { DiskError } from "../errors.js";
import { quote } from "../printable.js";

const DEFAULT_FLUSH_DELAY = 1000;
const MAX_TIMER = 2 ** 31 - 1;

/** A request that failed. The guest has no answer to it. */
export interface V86Failure {
  verb: "read" | "write" | "flush";
  /** Where and how long, in bytes; 0 for a flush. */
  offset: number;
  length: number;
  error: DiskError;
  /** Makes the request again, once the cause is dealt with; the guest goes on where that succeeds. Works once. */
  retry(): void;
}

export interface V86DiskOptions {
  /**
   * Called for every request that fails, while `set` or `get` runs if the disk is synchronous: stop the emulator in
   * it, tell the user. Default: the error is thrown where nobody catches it, so that it is seen.
   */
  onerror?: ((failure: V86Failure) => void) | undefined;
  /**
   * The longest time from a write until a flush begins that makes it durable, in milliseconds; `Infinity` leaves
   * flushing to you. Default: 1000. v86 keeps the guest's own cache flushes to itself.
   */
  flushDelayMilliseconds?: number | undefined;
}

const V86_OPTIONS: OptionNames<V86DiskOptions> = { onerror: true, flushDelayMilliseconds: true };

/** The delay, or its default. @throws TypeError for unknown options, RangeError */
export function flushDelayOf(options: V86DiskOptions): number {
  requireOptions(options, V86_OPTIONS);
  const { flushDelayMilliseconds: delay = DEFAULT_FLUSH_DELAY } = options;
  if (delay === Infinity || (typeof delay === "number" && delay >= 0 && delay <= MAX_TIMER)) return delay;
  throw new RangeError(`flushDelayMilliseconds: expected 0 to ${MAX_TIMER} or Infinity, got ${quote(delay)}`);
}

/** v86 counts sectors in 32 bits: of a larger disk a guest would see another size, and reach other sectors. */
export const MAX_SIZE = 2 ** 32 * 512;

/** The disk's size. @throws RangeError for a disk that v86 cannot address */
export function addressableSize({ size }: AnyDevice): number {
  if (Number.isSafeInteger(size) && size >= 0 && size < MAX_SIZE) return size;
  throw new RangeError(
    `disk: expected fewer than ${MAX_SIZE} bytes (2 TiB), as v86 counts sectors in 32 bits, got ${quote(size)}`,
  );
}

const STATE_VERSION = 1;

/** What is saved of a disk. */
export function stateOf(byteLength: number): readonly number[] {
  return [STATE_VERSION, byteLength];
}

/** @throws RangeError for what was not saved of a disk of this length */
export function requireState(state: unknown, byteLength: number): void {
  const fields: readonly unknown[] = Array.isArray(state) ? state : [state, undefined];
  const expected = stateOf(byteLength);
  if (expected.every((value, index) => fields[index] === value)) return;
  // What is no number may be anything, a guest's memory too: only its kind is told.
  const got = fields.slice(0, 2).map((field) => (typeof field === "string" ? "a string" : quote(field)));
  throw new RangeError(
    `state: expected that of a disk like this one (${expected.join(", ")}), got (${got.join(", ")})`,
  );
}

/** What a state refuses with while requests are in flight. */
export function busy(reads: number, writes: number): DiskError {
  return new DiskError(
    "BUSY",
    `${reads} reads and ${writes} writes are in flight, and a saved state would lose them: stop the emulator, wait for quiesce(), then save`,
    { reads, writes },
  );
}
