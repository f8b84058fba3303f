// Guest range to runs of one owner, as map.ts does it: a block of 64 clusters becomes a mask of the places where a run
// begins. A run is nobody's, or of one layer and either without a break in its file or bad throughout.

import { BAD, EXTENTS, EXTENT_CAPACITY, layerAddress, placeAddress } from "./owners-table";

const BLOCK: u32 = 64;

/** Fills the extent table with the runs of a guest range, as far as it reaches; returns how many. */
export function mapOwners(first: u32, clusterCount: u32): u32 {
  if (clusterCount == 0) return 0;
  const limit = first + clusterCount;
  const full = EXTENTS + <usize>(EXTENT_CAPACITY * 12);
  let out: usize = EXTENTS;
  let start = first;
  for (let at = first + 1; at < limit; at += BLOCK) {
    let breaks = breaksFrom(at, min(limit - at, BLOCK));
    while (breaks) {
      const next = at + <u32>ctz<u64>(breaks);
      breaks &= breaks - 1;
      out = emit(out, start, next);
      start = next;
    }
    if (out >= full) return EXTENT_CAPACITY;
  }
  out = emit(out, start, limit);
  return <u32>(out - EXTENTS) / 12;
}

/** A bit each for the `length` (1 to 64) clusters from `cluster`, which is not 0: does a new run begin here? */
function breaksFrom(cluster: u32, length: u32): u64 {
  const places = placeAddress(cluster - 1);
  const layers = layerAddress(cluster - 1);
  let breaks: u64 = 0;
  for (let done: u32 = 0; done < length; done += 16) {
    breaks |= sixteen(places + (<usize>done << 2), layers + (<usize>done << 1)) << done;
  }
  // The lanes beyond `length` may lie in the slack behind the tables.
  return length < BLOCK ? breaks & ~(<u64>-1 << length) : breaks;
}

/** The breaks among the sixteen clusters that follow the one at these addresses. */
// @ts-ignore: decorator
@inline
function sixteen(places: usize, layers: usize): u64 {
  const a = continues(v128.load(places), v128.load(places, 4));
  const b = continues(v128.load(places, 16), v128.load(places, 20));
  const c = continues(v128.load(places, 32), v128.load(places, 36));
  const d = continues(v128.load(places, 48), v128.load(places, 52));
  const low = i16x8.eq(v128.load(layers), v128.load(layers, 2));
  const high = i16x8.eq(v128.load(layers, 16), v128.load(layers, 18));
  const mask = i8x16.narrow_i16x8_s(
    v128.and(i16x8.narrow_i32x4_s(a, b), low),
    v128.and(i16x8.narrow_i32x4_s(c, d), high),
  );
  return <u64>(~i8x16.bitmask(mask) & 0xffff);
}

/** All ones in the lanes whose place continues that of their left neighbour, whatever the layers. */
// @ts-ignore: decorator
@inline
function continues(left: v128, places: v128): v128 {
  const bad = i32x4.splat(BAD);
  const leftBad = i32x4.eq(left, bad);
  // What continues nobody's is nobody's, and what continues bad ones is bad: no place is added to them.
  const still = v128.or(i32x4.eq(left, i32x4.splat(0)), leftBad);
  const follows = i32x4.eq(places, i32x4.add(left, v128.andnot(i32x4.splat(1), still)));
  // The place before BAD is a place; the bad one behind it does not follow.
  return v128.andnot(follows, v128.andnot(i32x4.eq(places, bad), leftBad));
}

/** Writes the extent [from, to) and returns the place of the next. */
// @ts-ignore: decorator
@inline
function emit(out: usize, from: u32, to: u32): usize {
  store<u32>(out, to - from);
  store<u32>(out, load<u32>(placeAddress(from)), 4);
  store<u32>(out, <u32>load<u16>(layerAddress(from)), 8);
  return out + 12;
}
