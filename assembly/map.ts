// Guest range to extents. A block of 64 entries becomes a mask of the places where a run begins; each bit
// closes the extent before it. The table has slack for one block more, so the capacity is asked a block, not a bit.

import { EXTENTS, EXTENT_CAPACITY, step } from "./layout";
import { BLOCK, breaksFrom, entryAt, skipRun } from "./runs";
import { mayWrap } from "./table";

/** Fills the extent table with the runs of a guest range, as far as it reaches; returns how many. */
export function map(first: u32, clusterCount: u32): u32 {
  if (mayWrap()) return mapSlowly(first, clusterCount);
  const limit = first + clusterCount;
  const full = EXTENTS + (<usize>EXTENT_CAPACITY << 3);
  let out: usize = EXTENTS;
  let start = first;
  let at = first + 1;
  while (at < limit) {
    let breaks = breaksFrom(at, min(limit - at, BLOCK));
    while (breaks) {
      const next = at + <u32>ctz<u64>(breaks);
      breaks &= breaks - 1;
      out = emit(out, start, next);
      start = next;
    }
    if (out >= full) return EXTENT_CAPACITY;
    at += BLOCK;
    if (start + BLOCK < at) at = skipRun(at, limit);
  }
  out = emit(out, start, limit);
  return <u32>(out - EXTENTS) >> 3;
}

/** An entry at a time: for the rare table that may have entries within a step of 2^32. */
function mapSlowly(first: u32, clusterCount: u32): u32 {
  const limit = first + clusterCount;
  const full = EXTENTS + (<usize>EXTENT_CAPACITY << 3);
  let out: usize = EXTENTS;
  let start = first;
  while (start < limit && out < full) {
    const entry = entryAt(start);
    const rise: u64 = entry ? step : 0;
    let expected = <u64>entry + rise;
    let next = start + 1;
    while (next < limit && <u64>entryAt(next) == expected) {
      expected += rise;
      next++;
    }
    out = emit(out, start, next);
    start = next;
  }
  return <u32>(out - EXTENTS) >> 3;
}

/** Writes the extent [from, to) and returns the place of the next. */
// @ts-ignore: decorator
@inline
function emit(out: usize, from: u32, to: u32): usize {
  store<u32>(out, to - from);
  store<u32>(out, entryAt(from), 4);
  return out + 8;
}
