/**
 * Parked writes. Where entries must wait for a flush - over a base, in clusters that were used before - a write in place
 * that came after them would have to wait, too. Instead its bytes are kept in the same line, in memory, and go to the
 * file behind the entries when the disk is flushed, or when they are many: one flush serves many writes, and what the file
 * shows is a prefix all the same. Reads see what is parked.
 */
import { partOf } from "../buffers.js";
import type { Operation } from "../operation.js";
import type { Image } from "./image.js";

/** One write in place that completed. */
export interface Parked {
  /** On the disk, in bytes. */
  readonly offset: number;
  /** A copy. */
  readonly bytes: Uint8Array;
  readonly fileOffset: number;
  /** It is being written. */
  frozen: boolean;
}

/** A longer write is better made than kept. */
export const LONGEST_PARKED = 4 * 1024 * 1024;

export const isParked = (item: object): item is Parked => "bytes" in item;

/** Puts a write in the line. */
export function park(image: Image, source: Uint8Array, offset: number, fileOffset: number): void {
  const bytes = new Uint8Array(source); // not `slice`, which does not copy a Buffer of Node
  image.line.items.push({ offset, bytes, fileOffset, frozen: false });
  image.line.parkedBytes += bytes.length;
}

/** Makes the write; who calls takes it out of the line. */
export function* unpark(image: Image, { bytes, fileOffset }: Parked): Operation<void> {
  yield* image.medium.write(bytes, fileOffset);
  image.line.parkedBytes -= bytes.length;
}

/** Runs what reads a range from the file, then puts over it what was parked when it began; the caller keeps writers away. */
export function* readOver(image: Image, target: Uint8Array, offset: number, read: Operation<void>): Operation<void> {
  const over = image.line.parkedBytes === 0 ? [] : parkedIn(image, offset, target.length);
  yield* read;
  for (const { offset: start, bytes } of over) {
    const from = Math.max(start, offset);
    const length = Math.min(start + bytes.length, offset + target.length) - from;
    partOf(target, from - offset, length).set(bytes.subarray(from - start, from - start + length));
  }
}

/** Those that touch a range, in order. */
function parkedIn({ line }: Image, offset: number, length: number): Parked[] {
  return line.items
    .filter(isParked)
    .filter(({ offset: start, bytes }) => start < offset + length && offset < start + bytes.length);
}
