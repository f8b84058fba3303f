// Where runs end: entries against their left neighbours, sixteen at a time. A zero continues zeros, and an
// entry one step above its neighbour continues data. The sums are modulo 2^32: an entry (or a 0) that only
// follows by wrapping around is taken for a continuation here, and whoever cares must look (see map, scan).

import { BAT, step } from "./layout";
import { ALL } from "./words";

/** Entries that one mask of breaks covers. */
export const BLOCK: u32 = 64;

/** The address of an entry. */
// @ts-ignore: decorator
@inline
export function entryAddress(cluster: u32): usize {
  return BAT + (<usize>cluster << 2);
}

// @ts-ignore: decorator
@inline
export function entryAt(cluster: u32): u32 {
  return load<u32>(entryAddress(cluster));
}

/** A bit each for the `length` (1 to 64) entries from `cluster`, which is not 0: does a new run begin here? */
export function breaksFrom(cluster: u32, length: u32): u64 {
  const steps = i32x4.splat(step);
  const entries = entryAddress(cluster - 1);
  let breaks: u64 = 0;
  for (let done: u32 = 0; done < length; done += 16) {
    breaks |= sixteen(entries + (<usize>done << 2), steps) << done;
  }
  // The lanes beyond `length` may lie in the slack after the BAT: they are read and masked off.
  return breaks & (ALL >> (BLOCK - length));
}

/**
 * Where the masks of breaks must be asked again: skips sixteens that do nothing but continue the run before
 * `cluster`. Quicker than masks, for what comes is known; it stops short of wrapping around, where it is not.
 */
export function skipRun(cluster: u32, limit: u32): u32 {
  const last = entryAt(cluster - 1);
  const rise: u32 = last ? step : 0;
  if (last) limit = <u32>min<u64>(limit, <u64>cluster + (u32.MAX_VALUE - last) / step);
  const advance = i32x4.splat(rise << 4);
  let a = i32x4.add(i32x4.splat(last), i32x4.mul(i32x4.splat(rise), i32x4(1, 2, 3, 4)));
  let b = i32x4.add(a, i32x4.splat(rise << 2));
  let c = i32x4.add(a, i32x4.splat(rise << 3));
  let d = i32x4.add(b, i32x4.splat(rise << 3));
  while (cluster + 16 <= limit) {
    const at = entryAddress(cluster);
    const low = v128.and(i32x4.eq(v128.load(at), a), i32x4.eq(v128.load(at, 16), b));
    const high = v128.and(i32x4.eq(v128.load(at, 32), c), i32x4.eq(v128.load(at, 48), d));
    if (!i32x4.all_true(v128.and(low, high))) break;
    a = i32x4.add(a, advance);
    b = i32x4.add(b, advance);
    c = i32x4.add(c, advance);
    d = i32x4.add(d, advance);
    cluster += 16;
  }
  return cluster;
}

/** The breaks among the sixteen entries that follow the one at `left`. */
// @ts-ignore: decorator
@inline
function sixteen(left: usize, steps: v128): u64 {
  const a = continues(v128.load(left), v128.load(left, 4), steps);
  const b = continues(v128.load(left, 16), v128.load(left, 20), steps);
  const c = continues(v128.load(left, 32), v128.load(left, 36), steps);
  const d = continues(v128.load(left, 48), v128.load(left, 52), steps);
  const mask = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
  return <u64>(~i8x16.bitmask(mask) & 0xffff);
}

/** All ones in the lanes whose entry continues the run of its left neighbour. */
// @ts-ignore: decorator
@inline
function continues(left: v128, entries: v128, steps: v128): v128 {
  // What continues a zero is a zero: no step is added to it.
  return i32x4.eq(entries, i32x4.add(left, v128.andnot(steps, i32x4.eq(left, i32x4.splat(0)))));
}
