// Dirty bits: ranges of bits at any address that is a multiple of 8, 64 bytes a turn. They lie in a buffer as zero scanners
// have it. Words that are zero may be memory that nobody touched yet: nothing writes zeros over them.

import { ALL, drop, headMask, tailMask, take } from "./words";

/** Sets a range and returns how many of its bits were clear before. */
export function markBits(bits: usize, from: u32, to: u32): u32 {
  if (from == to) return 0;
  const first = wordOf(bits, from);
  const last = wordOf(bits, to - 1);
  if (first == last) return to - from - take(first, headMask(from) & tailMask(to));
  return to - from - take(first, headMask(from)) - fill(first + 8, last) - take(last, tailMask(to));
}

/** Clears a range. */
export function clearBits(bits: usize, from: u32, to: u32): void {
  if (from == to) return;
  const first = wordOf(bits, from);
  const last = wordOf(bits, to - 1);
  if (first == last) {
    wipe(first, headMask(from) & tailMask(to));
    return;
  }
  wipe(first, headMask(from));
  let at = first + 8;
  for (; at + 64 <= last; at += 64) {
    if (!v128.any_true(either(at))) continue;
    const none = i64x2.splat(0);
    v128.store(at, none);
    v128.store(at, none, 16);
    v128.store(at, none, 32);
    v128.store(at, none, 48);
  }
  for (; at < last; at += 8) wipe(at, ALL);
  wipe(last, tailMask(to));
}

/** The first bit at or after `from` that is set, or that is clear; `limit` if there is none before it. */
export function nextBit(bits: usize, from: u32, limit: u32, set: bool): u32 {
  if (from >= limit) return limit;
  const skip: u64 = set ? 0 : ALL;
  let at = wordOf(bits, from);
  let word = (load<u64>(at) ^ skip) & headMask(from);
  if (!word) {
    const end = wordOf(bits, limit - 1) + 8;
    const same = i64x2.splat(skip);
    at += 8;
    while (at + 64 <= end && isUniform(at, same)) at += 64;
    while (at < end && load<u64>(at) == skip) at += 8;
    if (at == end) return limit;
    word = load<u64>(at) ^ skip;
  }
  // The last word may have bits behind the limit.
  return min(limit, bitOf(bits, at) + <u32>ctz<u64>(word));
}

/** How many bits of a range are set. */
export function countBits(bits: usize, from: u32, to: u32): u32 {
  if (from == to) return 0;
  const first = wordOf(bits, from);
  const last = wordOf(bits, to - 1);
  if (first == last) return ones(first, headMask(from) & tailMask(to));
  let at = first + 8;
  let sums = i32x4.splat(0);
  for (; at + 64 <= last; at += 64) sums = i32x4.add(sums, onesOfLine(at));
  let count = ones(first, headMask(from)) + total(sums);
  for (; at < last; at += 8) count += ones(at, ALL);
  return count + ones(last, tailMask(to));
}

/** Sets the bits that are set in as many bytes, a multiple of 8, elsewhere in this memory. */
export function mergeBits(bits: usize, others: usize, length: usize): void {
  let done: usize = 0;
  for (; done + 16 <= length; done += 16) {
    const more = v128.load(others + done);
    if (v128.any_true(more)) v128.store(bits + done, v128.or(v128.load(bits + done), more));
  }
  if (done == length) return;
  const more = load<u64>(others + done);
  if (more) store<u64>(bits + done, load<u64>(bits + done) | more);
}

/** Sets all bits of the words [at, end) and returns how many were set before. */
function fill(at: usize, end: usize): u32 {
  const all = i64x2.splat(ALL);
  let count: u32 = 0;
  let sums = i32x4.splat(0);
  for (; at + 64 <= end; at += 64) {
    if (v128.any_true(either(at))) sums = i32x4.add(sums, onesOfLine(at));
    v128.store(at, all);
    v128.store(at, all, 16);
    v128.store(at, all, 32);
    v128.store(at, all, 48);
  }
  for (; at < end; at += 8) count += take(at, ALL);
  return count + total(sums);
}

/** Clears the bits of a mask, if one of them is set. */
function wipe(word: usize, mask: u64): void {
  if (load<u64>(word) & mask) drop(word, mask);
}

/** What is set in any of the four lanes of a line of 64 bytes. */
// @ts-ignore: decorator
@inline
function either(at: usize): v128 {
  const low = v128.or(v128.load(at), v128.load(at, 16));
  const high = v128.or(v128.load(at, 32), v128.load(at, 48));
  return v128.or(low, high);
}

/** Whether a line has the same sixteen bytes throughout. */
// @ts-ignore: decorator
@inline
function isUniform(at: usize, bytes: v128): bool {
  const low = v128.or(v128.xor(v128.load(at), bytes), v128.xor(v128.load(at, 16), bytes));
  const high = v128.or(v128.xor(v128.load(at, 32), bytes), v128.xor(v128.load(at, 48), bytes));
  return !v128.any_true(v128.or(low, high));
}

/** The set bits of a line, as four sums. */
// @ts-ignore: decorator
@inline
function onesOfLine(at: usize): v128 {
  const low = i8x16.add(i8x16.popcnt(v128.load(at)), i8x16.popcnt(v128.load(at, 16)));
  const high = i8x16.add(i8x16.popcnt(v128.load(at, 32)), i8x16.popcnt(v128.load(at, 48)));
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(i8x16.add(low, high)));
}

/** The sum of four sums. */
// @ts-ignore: decorator
@inline
function total(sums: v128): u32 {
  const low = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1);
  return low + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
}

// @ts-ignore: decorator
@inline
function ones(word: usize, mask: u64): u32 {
  return <u32>popcnt<u64>(load<u64>(word) & mask);
}

// @ts-ignore: decorator
@inline
function wordOf(bits: usize, bit: u32): usize {
  return bits + (<usize>(bit >> 6) << 3);
}

// @ts-ignore: decorator
@inline
function bitOf(bits: usize, word: usize): u32 {
  return <u32>(word - bits) << 3;
}
