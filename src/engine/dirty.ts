/**
 * Dirty bits: a bitmap of granules in memory, in the bit order of the format (least significant bit of byte 0 first). Like
 * the engine it has two implementations, decides only, and trusts its arguments: from <= to <= bitCount.
 */

import type { EngineKind } from "./engine.js";

export interface DirtyBits {
  readonly kind: EngineKind;
  /** Why this is plain TypeScript where no kind was asked for. */
  readonly fallback: Error | undefined;
  /** At most 2^31. All bits are 0 at first, and those that nobody sets cost no memory. */
  readonly bitCount: number;
  /**
   * The bits as bytes, rounded up to whole 64-bit words: the memory itself, into which a storage may read; what an
   * asynchronous write is to take from it is a copy. Valid until `release`. What its bits behind `bitCount` are, no verb sees.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;

  /** Sets [from, to) and returns how many of its bits were clear before. Cheapest within 32 bits. */
  mark(from: number, to: number): number;
  /** Clears [from, to). */
  clear(from: number, to: number): void;
  /** The first set bit at or after `from`; `bitCount` if there is none. */
  nextSet(from: number): number;
  /** The first clear bit at or after `from`; `bitCount` if there is none. */
  nextClear(from: number): number;
  /** How many bits of [from, to) are set. */
  count(from: number, to: number): number;
  /** Sets what is set in another one as long, of either kind: these are its `bytes`. */
  merge(bytes: Uint8Array<ArrayBuffer>): void;

  /** Gives the memory back: it may be another one's from now on. Not while anybody may still read into it. */
  release(): void;
}
