/**
 * Which host clusters are in use, for the plain TypeScript engine: one bit each, under two summaries.
 * On every level above, `full` has a bit for each full word below and `some` a bit for each word below
 * that is not empty, so that the next free or used cluster is a few words away whatever the bitmap holds.
 * Words that are zero may be memory that nobody touched yet: they are not written.
 * Clusters beyond the capacity are free. Word counts are powers of two; the top level is one word.
 */

import { headMask, lowestBit, popcount, tailMask } from "./js-words.js";
import { BITMAP, withMemory } from "./memory.js";

/** A word of ones, as bit operations see it. */
const ALL = -1;
const FIRST_CAPACITY_WORDS = 128;

export class UsedBitmap {
  /** Level 0, the clusters themselves, is the same array in both. */
  #full: Uint32Array[] = [];
  #some: Uint32Array[] = [];
  #count = 0;
  /** One past the highest cluster in use. */
  #end = 0;
  /** No cluster below this is free. */
  #lowest = 0;

  constructor() {
    this.#resize(FIRST_CAPACITY_WORDS);
  }

  get usedCount(): number {
    return this.#count;
  }

  get end(): number {
    return this.#end;
  }

  /** Makes every cluster free; keeps the capacity. */
  clear(): void {
    const clusters = this.#some[0];
    for (let word = Math.ceil(this.#end / 32) - 1; word >= 0; word--) if (clusters[word] !== 0) clusters[word] = 0;
    for (let level = 1; level < this.#some.length; level++) {
      this.#some[level].fill(0);
      this.#full[level].fill(0);
    }
    this.#count = this.#end = this.#lowest = 0;
  }

  /** Marks [from, to) as used and returns how many clusters already were. */
  use(from: number, to: number): number {
    const already = this.mark(from, to);
    spreadAny(this.#some, from, to, ALL);
    spreadWhole(this.#full, from, to, ALL);
    return already;
  }

  /** `use` without the summaries, which wait for `summarise`: quicker for a whole table. */
  mark(from: number, to: number): number {
    if (to > this.#some[0].length * 32) this.#grow(to);
    const already = setBits(this.#some[0], from, to, ALL);
    this.#count += to - from - already;
    if (to > this.#end) this.#end = to;
    return already;
  }

  /** Makes [from, to) free. */
  free(from: number, to: number): void {
    const words = this.#some[0];
    const reachedTo = Math.min(to, words.length * 32);
    if (from >= reachedTo) return;
    this.#count -= reachedTo - from - setBits(words, from, reachedTo, 0);
    spreadAny(this.#full, from, reachedTo, 0);
    spreadWhole(this.#some, from, reachedTo, 0);
    if (reachedTo >= this.#end) this.#end = this.#findEnd();
    if (from < this.#lowest) this.#lowest = from;
  }

  /** The lowest free cluster. */
  firstFree(): number {
    this.#lowest = this.nextFree(this.#lowest);
    return this.#lowest;
  }

  nextFree(from: number): number {
    const found = findNext(this.#full, from, ALL);
    return found < 0 ? Math.max(from, this.#full[0].length * 32) : found;
  }

  /** The first used cluster at or after `from`, or -1. */
  nextUsed(from: number): number {
    return findNext(this.#some, from, 0);
  }

  /** Rebuilds every summary from the clusters. */
  summarise(): void {
    for (let level = 1; level < this.#some.length; level++) {
      gatherFull(this.#full[level - 1], this.#full[level]);
      gatherSome(this.#some[level - 1], this.#some[level]);
    }
  }

  #findEnd(): number {
    if (this.#count === 0) return 0;
    let index = 0;
    for (let level = this.#some.length - 1; level >= 0; level--) {
      index = index * 32 + 31 - Math.clz32(this.#some[level][index]);
    }
    return index + 1;
  }

  /** Doubles the capacity until it holds clusters below `to`. */
  #grow(to: number): void {
    let wordCount = this.#some[0].length;
    while (to > wordCount * 32) wordCount *= 2;
    this.#resize(wordCount);
    this.summarise();
  }

  #resize(wordCount: number): void {
    const clusters = withMemory(BITMAP, () => new Uint32Array(wordCount));
    const before = this.#some[0] ?? [];
    for (let word = 0; word < before.length; word++) if (before[word] !== 0) clusters[word] = before[word];
    const full = [clusters];
    const some = [clusters];
    while (wordCount > 1) {
      wordCount = Math.ceil(wordCount / 32);
      full.push(new Uint32Array(wordCount));
      some.push(new Uint32Array(wordCount));
    }
    this.#full = full;
    this.#some = some;
  }
}

/** The first index at or after `from` on level 0 whose bit differs from the uniform word `skip` (0 or ALL), or -1. */
function findNext(levels: Uint32Array[], from: number, skip: number): number {
  let level = 0;
  let index = from;
  for (;;) {
    if (level === levels.length) return -1;
    const word = index >>> 5;
    if (word >= levels[level].length) return -1;
    const bits = (levels[level][word] ^ skip) & (-1 << (index & 31));
    if (bits !== 0) {
      index = word * 32 + lowestBit(bits);
      break;
    }
    index = word + 1;
    level++;
  }
  while (level > 0) {
    level--;
    // The top word may have bits for words that do not exist.
    if (index >= levels[level].length) return -1;
    index = index * 32 + lowestBit(levels[level][index] ^ skip);
  }
  return index;
}

/** Makes bits `value` (0 or ALL) in the summary where a word's bit becomes so as soon as one of its own bits is. */
function spreadAny(levels: Uint32Array[], from: number, to: number, value: number): void {
  for (let level = 1; level < levels.length; level++) {
    from >>>= 5;
    to = ((to - 1) >>> 5) + 1;
    // If nothing changes on this level, nothing does above it.
    if (setBits(levels[level], from, to, value) === to - from) return;
  }
}

/** The same in the summary where a word's bit becomes so when all of its own bits are. */
function spreadWhole(levels: Uint32Array[], from: number, to: number, value: number): void {
  for (let level = 1; level < levels.length; level++) {
    const below = levels[level - 1];
    from = firstWhole(below, from, value);
    to = endWhole(below, to, value);
    if (from >= to) return;
    setBits(levels[level], from, to, value);
  }
}

/** Of the words that the bits from `from` on touch, the first that equals `value` throughout, or the one after. */
function firstWhole(words: Uint32Array, from: number, value: number): number {
  const word = from >>> 5;
  return words[word] === value >>> 0 ? word : word + 1;
}

/** One past the last such word for bits that end before `to`. */
function endWhole(words: Uint32Array, to: number, value: number): number {
  const word = (to - 1) >>> 5;
  return words[word] === value >>> 0 ? word + 1 : word;
}

/** Makes a range `value` and returns how many of its bits were so before. Most ranges lie in one word. */
function setBits(words: Uint32Array, from: number, to: number, value: number): number {
  const first = from >>> 5;
  const last = (to - 1) >>> 5;
  return first === last
    ? put(words, first, headMask(from) & tailMask(to), value)
    : setWords(words, first, last, from, to, value);
}

function setWords(words: Uint32Array, first: number, last: number, from: number, to: number, value: number): number {
  let count = put(words, first, headMask(from), value);
  for (let word = first + 1; word < last; word++) count += put(words, word, ALL, value);
  return count + put(words, last, tailMask(to), value);
}

/** Makes the bits of a mask those of a value and returns how many of them were so before. */
function put(words: Uint32Array, word: number, mask: number, value: number): number {
  const others = words[word] ^ value;
  words[word] = (others & ~mask) ^ value;
  return popcount(~others & mask);
}

/** Has a bit above for every word below that is full. */
function gatherFull(below: Uint32Array, above: Uint32Array): void {
  for (let word = 0; word < above.length; word++) {
    const limit = Math.min(below.length, 32 * word + 32);
    let bits = 0;
    for (let index = 32 * word; index < limit; index++) if (below[index] === 0xffffffff) bits |= 1 << (index & 31);
    if (above[word] !== bits >>> 0) above[word] = bits;
  }
}

/** Has a bit above for every word below that is not empty. */
function gatherSome(below: Uint32Array, above: Uint32Array): void {
  for (let word = 0; word < above.length; word++) {
    const limit = Math.min(below.length, 32 * word + 32);
    let bits = 0;
    for (let index = 32 * word; index < limit; index++) if (below[index] !== 0) bits |= 1 << (index & 31);
    if (above[word] !== bits >>> 0) above[word] = bits;
  }
}
