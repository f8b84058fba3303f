/** Dirty bits in plain TypeScript: the oracle of the others, and what runs where WebAssembly cannot. */

import type { DirtyBits } from "./dirty.js";
import { headMask, lowestBit, popcount, tailMask } from "./js-words.js";
import { bitsOf, withMemory } from "./memory.js";

const ALL = -1;

export class JsDirtyBits implements DirtyBits {
  readonly kind = "js";
  readonly fallback: Error | undefined;
  readonly bitCount: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array<ArrayBuffer>;

  constructor(bitCount: number, fallback?: Error) {
    this.fallback = fallback;
    this.bitCount = bitCount;
    this.#words = withMemory(bitsOf(bitCount), () => new Int32Array(Math.ceil(bitCount / 64) * 2));
    this.bytes = new Uint8Array(this.#words.buffer);
  }

  mark(from: number, to: number): number {
    if (from === to) return 0;
    const words = this.#words;
    const first = from >>> 5;
    const last = (to - 1) >>> 5;
    if (first === last) return set(words, first, headMask(from) & tailMask(to));
    let fresh = set(words, first, headMask(from));
    for (let word = first + 1; word < last; word++) if (words[word] !== ALL) fresh += set(words, word, ALL);
    return fresh + set(words, last, tailMask(to));
  }

  clear(from: number, to: number): void {
    if (from === to) return;
    const words = this.#words;
    const first = from >>> 5;
    const last = (to - 1) >>> 5;
    if (first === last) {
      words[first] &= ~(headMask(from) & tailMask(to));
      return;
    }
    words[first] &= ~headMask(from);
    // Words that are zero may be memory that nobody touched yet: they are not written.
    for (let word = first + 1; word < last; word++) if (words[word] !== 0) words[word] = 0;
    words[last] &= ~tailMask(to);
  }

  nextSet(from: number): number {
    return this.#next(from, 0);
  }

  nextClear(from: number): number {
    return this.#next(from, ALL);
  }

  count(from: number, to: number): number {
    if (from === to) return 0;
    const words = this.#words;
    const first = from >>> 5;
    const last = (to - 1) >>> 5;
    if (first === last) return popcount(words[first] & headMask(from) & tailMask(to));
    let count = popcount(words[first] & headMask(from));
    for (let word = first + 1; word < last; word++) if (words[word] !== 0) count += popcount(words[word]);
    return count + popcount(words[last] & tailMask(to));
  }

  merge(bytes: Uint8Array<ArrayBuffer>): void {
    const words = this.#words;
    const others = new Int32Array(bytes.buffer, bytes.byteOffset, words.length);
    for (let word = 0; word < words.length; word++) if (others[word] !== 0) words[word] |= others[word];
  }

  /** The memory goes when nobody uses it any more. */
  release(): void {}

  /** The first bit at or after `from` that differs from the uniform word `skip`. */
  #next(from: number, skip: number): number {
    if (from >= this.bitCount) return this.bitCount;
    const words = this.#words;
    let word = from >>> 5;
    let bits = (words[word] ^ skip) & headMask(from);
    if (bits === 0) {
      word = this.#nextWord(word + 1, skip);
      if (word === words.length) return this.bitCount;
      bits = words[word] ^ skip;
    }
    // The last word may have bits behind the last one.
    return Math.min(word * 32 + lowestBit(bits), this.bitCount);
  }

  /** The first word at or after `word` that is not `skip`, or their number. */
  #nextWord(word: number, skip: number): number {
    const words = this.#words;
    const limit = words.length - 3;
    for (; word < limit; word += 4) {
      const low = (words[word] ^ skip) | (words[word + 1] ^ skip);
      if ((low | (words[word + 2] ^ skip) | (words[word + 3] ^ skip)) !== 0) break;
    }
    while (word < words.length && words[word] === skip) word++;
    return word;
  }
}

/** Sets the bits of a mask and returns how many of them were clear before. */
function set(words: Int32Array, word: number, mask: number): number {
  const fresh = mask & ~words[word];
  if (fresh === 0) return 0;
  words[word] |= fresh;
  return popcount(fresh);
}
