// Which host clusters are in use: one bit each, under two summaries. On every level above, `full` has a
// bit for each full word below and `some` a bit for each word below that is not empty, so that the next
// free or used cluster is a few words away whatever the bitmap holds. Clusters beyond the capacity are
// free. Word counts are powers of two, the top level is one word; level 0 is the same array in both:
//
//   clusters  ..1111 0110..      full[1] ..1 0..  some[1] ..1 1..      full[2] ...   some[2] ...

import { LEVELS, USED, behindBat, settleTables } from "./layout";
import { reach } from "./memory";
import { ALL, clearWords, endWhole, firstWhole, headMask, moveWordsUp, setBits, tailMask, take, wordAt } from "./words";

/** Offsets in a pair of addresses in LEVELS. */
const FULL: usize = 0;
const SOME: usize = 4;

const FIRST_CAPACITY_WORDS: u32 = 64;
/** Words for all 2^32 host clusters. */
const MAX_CAPACITY_WORDS: u64 = 1 << 26;

let wordCount: u32 = 0;
let top: u32 = 0;
let count: u32 = 0;
/** One past the highest cluster in use. */
let highest: u32 = 0;
/** No cluster below this is free. */
let lowest: u32 = 0;
/** Host clusters below this lie within the capacity. */
export let capacity: u64 = 0;

export function usedCount(): u32 {
  return count;
}

export function end(): u32 {
  return highest;
}

/** Makes room for the first clusters. False if there is not enough memory. */
export function placeUsed(): bool {
  return resize(FIRST_CAPACITY_WORDS);
}

/** Makes the BAT longer: what lies behind it moves up, and the new entries are 0. False if there is not enough memory. */
export function grow(entries: u32): bool {
  const from = USED;
  const moved = behindBat(entries);
  const length = (<usize>wordCount << 3) + <usize>summaryBytes(wordCount);
  if (!reach(moved + length)) return false;
  const to = <usize>moved;
  moveWordsUp(from, to, length >> 3);
  // What lay there until now is not zero; the memory behind it is.
  clearWords(from, min(to - from, length) >> 3);
  settleTables(entries, to);
  placeLevels();
  return true;
}

/** Makes every cluster free; keeps the capacity. */
export function clearUsed(): void {
  clearWords(USED, <usize>((<u64>highest + 63) >> 6));
  clearSummaries();
  count = highest = lowest = 0;
}

/** Makes sure that clusters below `to` are within the capacity, at least doubling it; false if memory is short. */
export function reachCluster(to: u32): bool {
  if (<u64>to <= capacity) return true;
  let words = <u64>wordCount;
  while (<u64>to > words << 6) words <<= 1;
  return resize(<u32>min(words, MAX_CAPACITY_WORDS));
}

/** Marks [from, to) as used and returns how many clusters already were. They lie within the capacity. */
export function use(from: u32, to: u32): u32 {
  const already = change(from, to, ALL);
  count += to - from - already;
  highest = max(highest, to);
  return already;
}

/** Sets the bits of [from, to) and nothing else, to be made good by `settle`: quicker for a whole table. */
// @ts-ignore: decorator
@inline
export function mark(from: u32, to: u32): u32 {
  const word = from >> 6;
  if (word == (to - 1) >> 6) return take(USED + (<usize>word << 3), headMask(from) & tailMask(to));
  return setBits(USED, from, to, ALL);
}

/** Brings counts and summaries in line with the bits. */
export function settle(): void {
  summarise();
  count = 0;
  for (let word: u32 = 0; word < wordCount; word++) count += <u32>popcnt<u64>(wordAt(USED, word));
  highest = count ? findLast() + 1 : 0;
  lowest = 0;
}

/** Makes [from, to) free. */
export function free(from: u32, to: u32): void {
  if (<u64>from >= capacity) return;
  if (<u64>to > capacity) to = <u32>capacity;
  count -= to - from - change(from, to, 0);
  if (to >= highest) highest = count ? findLast() + 1 : 0;
  lowest = min(lowest, from);
}

/** The lowest free cluster. */
export function firstFree(): u32 {
  lowest = nextFree(lowest);
  return lowest;
}

/** The first free cluster at or after `from`. */
export function nextFree(from: u32): u32 {
  const found = findNext(from, FULL, ALL);
  return found < 0 ? <u32>max(<u64>from, capacity) : <u32>found;
}

/** The first used cluster at or after `from`; `none` if there is none. */
export function nextUsed(from: u32, none: u32): u32 {
  const found = findNext(from, SOME, 0);
  return found < 0 ? none : <u32>found;
}

/** Rebuilds every summary from the clusters. */
function summarise(): void {
  clearSummaries();
  for (let level: u32 = 1; level <= top; level++) {
    gather(level, FULL);
    gather(level, SOME);
  }
}

/** Fills the summary of one level, all zero so far, from the level below. */
function gather(level: u32, kind: usize): void {
  const below = base(level - 1, kind);
  const above = base(level, kind);
  const words = wordsOn(level - 1);
  for (let word: u32 = 0; word < words; word++) {
    const bits = wordAt(below, word);
    if (kind == FULL ? bits == ALL : bits != 0) take(above + (<usize>(word >> 6) << 3), <u64>1 << (word & 63));
  }
}

/** The first cluster at or after `from` whose bit differs from the uniform word `skip` (0 or ALL), or -1. */
function findNext(from: u32, kind: usize, skip: u64): i64 {
  let level: u32 = 0;
  let index = from;
  for (;;) {
    const word = index >> 6;
    if (level > top || word >= wordsOn(level)) return -1;
    const bits = (wordAt(base(level, kind), word) ^ skip) & (ALL << (index & 63));
    if (bits) {
      index = (word << 6) + <u32>ctz<u64>(bits);
      break;
    }
    index = word + 1;
    level++;
  }
  while (level > 0) {
    level--;
    // The top word may have bits for words that do not exist.
    if (index >= wordsOn(level)) return -1;
    index = (index << 6) + <u32>ctz<u64>(wordAt(base(level, kind), index) ^ skip);
  }
  return <i64>index;
}

/** The highest used cluster; there is one. */
function findLast(): u32 {
  let index: u32 = 0;
  for (let level = <i32>top; level >= 0; level--) {
    index = (index << 6) + 63 - <u32>clz<u64>(wordAt(base(level, SOME), index));
  }
  return index;
}

/** Makes [from, to) `value` (ALL: used, 0: free) on every level, and returns how many clusters were so before. */
function change(from: u32, to: u32, value: u64): u32 {
  const already = setBits(USED, from, to, value);
  spreadAny(from, to, value);
  spreadWhole(from, to, value);
  return already;
}

/** In the summary where a word's bit becomes `value` as soon as one of its own bits is. */
function spreadAny(from: u32, to: u32, value: u64): void {
  for (let level: u32 = 1; level <= top; level++) {
    from >>= 6;
    to = ((to - 1) >> 6) + 1;
    // If nothing changes on this level, nothing does above it.
    if (setBits(base(level, value ? SOME : FULL), from, to, value) == to - from) return;
  }
}

/** In the summary where a word's bit becomes `value` when all of its own bits are. */
function spreadWhole(from: u32, to: u32, value: u64): void {
  const kind = value ? FULL : SOME;
  for (let level: u32 = 1; level <= top; level++) {
    const below = base(level - 1, kind);
    from = firstWhole(below, from, value);
    to = endWhole(below, to, value);
    if (from >= to) return;
    setBits(base(level, kind), from, to, value);
  }
}

/** Places the levels for `words` words of clusters: level 0 stays where it is, the summaries move behind it. */
function resize(words: u32): bool {
  if (!reach(<u64>USED + (<u64>words << 3) + summaryBytes(words))) return false;
  if (wordCount) clearSummaries();
  wordCount = words;
  capacity = <u64>words << 6;
  placeLevels();
  summarise();
  return true;
}

/** Writes down where the levels lie. */
function placeLevels(): void {
  let words = wordCount;
  top = 0;
  let next = USED + (<usize>words << 3);
  placeLevel(0, USED, USED);
  while (words > 1) {
    words = (words + 63) >> 6;
    const bytes = <usize>words << 3;
    placeLevel(++top, next, next + bytes);
    next += bytes << 1;
  }
}

function placeLevel(level: u32, fullWords: usize, someWords: usize): void {
  const pair = LEVELS + (<usize>level << 3);
  store<u32>(pair + FULL, <u32>fullWords);
  store<u32>(pair + SOME, <u32>someWords);
}

// @ts-ignore: decorator
@inline
function base(level: u32, kind: usize): usize {
  return <usize>load<u32>(LEVELS + (<usize>level << 3) + kind);
}

/** Words on a level; the shift stays below 32, for there are at most six levels. */
// @ts-ignore: decorator
@inline
function wordsOn(level: u32): u32 {
  return max(wordCount >> (level * 6), 1);
}

/** Bytes of both summaries above `words` words of clusters. */
function summaryBytes(words: u32): u64 {
  let bytes: u64 = 0;
  while (words > 1) {
    words = (words + 63) >> 6;
    bytes += <u64>words << 4;
  }
  return bytes;
}

function clearSummaries(): void {
  clearWords(USED + (<usize>wordCount << 3), <usize>summaryBytes(wordCount) >> 3);
}
