// Who holds a guest cluster in a chain of images: its layer, and its place there (host cluster + 1).
//
//   | extents + slack | entries | places + slack | layers + slack |
//
// Cluster without an owner: place 0, and layer 0, too, so that nobody's neighbours always have equal layers.
// An entry that leads nowhere in its layer gives the place BAD.

import { alignLine, reach } from "./memory";
import { clearWords } from "./words";

/** Extents that one `map` returns at most; triples of u32 (cluster count, place, layer). */
export const EXTENT_CAPACITY: u32 = 1024;
/** Extents that one block of lanes may add before the capacity is looked at again. */
const EXTENT_SLACK: u32 = 64;
export const EXTENTS: usize = 1024;
/** Entries of a layer's BAT that one call takes. */
export const ENTRY_CAPACITY: u32 = 16384;
/** Bytes behind a table that a block of lanes may read. */
const SLACK: u64 = 256;
export const ENTRIES: usize = EXTENTS + <usize>((EXTENT_CAPACITY + EXTENT_SLACK) * 12);
export const PLACES: usize = ENTRIES + <usize>(ENTRY_CAPACITY << 2);

export const BAD: u32 = 0xffffffff;

export let LAYERS: usize = 0;
let clusterCount: u32 = 0;

/** Makes the tables, all empty. False if there is not enough memory. */
export function place(clusters: u32): bool {
  const layers = alignLine(<u64>PLACES + (<u64>clusters << 2) + SLACK);
  if (!reach(layers + (<u64>clusters << 1) + SLACK)) return false;
  clusterCount = clusters;
  LAYERS = <usize>layers;
  return true;
}

/** Nobody holds anything. */
export function clear(): void {
  clearWords(PLACES, (<usize>clusterCount + 1) >> 1);
  clearWords(LAYERS, (<usize>clusterCount + 3) >> 2);
}

/** The layer takes what its `count` entries for the clusters from `first` hold; returns how many of them are bad. */
export function adopt(layer: u32, first: u32, count: u32, origin: u32, step: u32, lastEntry: u32): u32 {
  setGrid(origin, step, lastEntry);
  const none = i32x4.splat(0);
  const owner = i16x8.splat(<i16>layer);
  let bad = none;
  let done: u32 = 0;
  for (; done + 8 <= count; done += 8) {
    const low = v128.load(entryAddress(done));
    const high = v128.load(entryAddress(done), 16);
    if (!v128.any_true(v128.or(low, high))) continue;
    const heldLow = i32x4.ne(low, none);
    const heldHigh = i32x4.ne(high, none);
    const placeLow = placesOf(low);
    const placeHigh = placesOf(high);
    const place = placeAddress(first + done);
    v128.store(place, v128.bitselect(placeLow, v128.load(place), heldLow));
    v128.store(place, v128.bitselect(placeHigh, v128.load(place, 16), heldHigh), 16);
    const held = i16x8.narrow_i32x4_s(heldLow, heldHigh);
    const layers = layerAddress(first + done);
    v128.store(layers, v128.bitselect(owner, v128.load(layers), held));
    // What is bad counts -1 a lane.
    bad = i32x4.add(bad, v128.and(heldLow, i32x4.eq(placeLow, i32x4.splat(BAD))));
    bad = i32x4.add(bad, v128.and(heldHigh, i32x4.eq(placeHigh, i32x4.splat(BAD))));
  }
  let total: u32 = 0;
  total -= i32x4.extract_lane(bad, 0) + i32x4.extract_lane(bad, 1);
  total -= i32x4.extract_lane(bad, 2) + i32x4.extract_lane(bad, 3);
  for (; done < count; done++) total += take(first + done, layer, load<u32>(entryAddress(done)));
  return total;
}

/** The layer holds the clusters from `first` in their order: its file is the disk itself. */
export function adoptPlain(layer: u32, first: u32, count: u32): void {
  for (let cluster = first; cluster < first + count; cluster++) own(cluster, layer, cluster + 1);
}

/** Where a layer has the clusters that it holds is now said by these entries; returns how many of those are bad. */
export function relocate(layer: u32, first: u32, count: u32, origin: u32, step: u32, lastEntry: u32): u32 {
  setGrid(origin, step, lastEntry);
  let bad: u32 = 0;
  for (let done: u32 = 0; done < count; done++) {
    const cluster = first + done;
    if (!isHeldBy(cluster, layer)) continue;
    const entry = load<u32>(entryAddress(done));
    if (entry) bad += take(cluster, layer, entry);
    else own(cluster, 0, 0);
  }
  return bad;
}

/** The same for a layer whose file is the disk itself. */
export function relocatePlain(layer: u32, first: u32, count: u32): void {
  for (let cluster = first; cluster < first + count; cluster++) {
    if (isHeldBy(cluster, layer)) own(cluster, layer, cluster + 1);
  }
}

/** The layer above `layer` becomes one with it, and all that lie higher move down by one. */
export function merge(layer: u32): void {
  const below = i16x8.splat(<i16>layer);
  // The lanes behind the last cluster lie in the slack: they are 0, and stay so.
  for (let cluster: u32 = 0; cluster < clusterCount; cluster += 8) {
    const address = layerAddress(cluster);
    const layers = v128.load(address);
    const above = i16x8.gt_u(layers, below);
    if (v128.any_true(above)) v128.store(address, i16x8.add(layers, above));
  }
}

/** How many clusters a layer holds. */
export function held(layer: u32): u32 {
  let count: u32 = 0;
  for (let cluster: u32 = 0; cluster < clusterCount; cluster++) count += <u32>isHeldBy(cluster, layer);
  return count;
}

let gridOrigin: u32 = 0;
let gridStep: u32 = 1;
let gridLast: u32 = 0;

function setGrid(origin: u32, step: u32, lastEntry: u32): void {
  gridOrigin = origin;
  gridStep = step;
  gridLast = lastEntry;
}

// @ts-ignore: decorator
@inline
export function placeAddress(cluster: u32): usize {
  return PLACES + (<usize>cluster << 2);
}

// @ts-ignore: decorator
@inline
export function layerAddress(cluster: u32): usize {
  return LAYERS + (<usize>cluster << 1);
}

// @ts-ignore: decorator
@inline
function entryAddress(index: u32): usize {
  return ENTRIES + (<usize>index << 2);
}

// @ts-ignore: decorator
@inline
function isHeldBy(cluster: u32, layer: u32): bool {
  return load<u16>(layerAddress(cluster)) == layer && load<u32>(placeAddress(cluster)) != 0;
}

// @ts-ignore: decorator
@inline
function own(cluster: u32, layer: u32, place: u32): void {
  store<u32>(placeAddress(cluster), place);
  store<u16>(layerAddress(cluster), <u16>layer);
}

/** Takes one entry; returns 1 if it is bad. */
function take(cluster: u32, layer: u32, entry: u32): u32 {
  if (entry == 0) return 0;
  const host = (entry - gridOrigin) / gridStep;
  const good = entry >= gridOrigin && entry <= gridLast && host * gridStep == entry - gridOrigin;
  const place = good ? host + 1 : BAD;
  own(cluster, layer, place);
  return <u32>(place == BAD);
}

/** The places of four entries. A quotient of f64 that is whole is exact, and of one that is not the product differs. */
// @ts-ignore: decorator
@inline
function placesOf(entries: v128): v128 {
  const origins = i32x4.splat(gridOrigin);
  const distance = i32x4.sub(entries, origins);
  let hosts = distance;
  let good = v128.and(i32x4.ge_u(entries, origins), i32x4.le_u(entries, i32x4.splat(gridLast)));
  if (gridStep != 1) {
    const steps = f64x2.splat(<f64>gridStep);
    const upper = v128.shuffle<i32>(distance, distance, 2, 3, 2, 3);
    const low = i32x4.trunc_sat_f64x2_u_zero(f64x2.div(f64x2.convert_low_i32x4_u(distance), steps));
    const high = i32x4.trunc_sat_f64x2_u_zero(f64x2.div(f64x2.convert_low_i32x4_u(upper), steps));
    hosts = v128.shuffle<i32>(low, high, 0, 1, 4, 5);
    good = v128.and(good, i32x4.eq(i32x4.mul(hosts, i32x4.splat(gridStep)), distance));
  }
  return v128.or(i32x4.add(hosts, i32x4.splat(1)), v128.not(good));
}
