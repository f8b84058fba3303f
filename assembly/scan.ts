// One pass over a BAT that nobody has checked. Runs are found like in map; each is then sorted as a range, with
// one division, and its good part set in the used bitmap, where bits that were set already are the duplicates.
// This is where untrusted numbers come in: ranges are reckoned in 64 bits and cut to the file before they are used.

import { setHostLimits } from "./allocate";
import { RESULTS, USED, entryCount, step } from "./layout";
import { BLOCK, breaksFrom, entryAddress, entryAt, skipRun } from "./runs";
import { setTable } from "./table";
import { capacity, clearUsed, end, mark, reachCluster, settle } from "./used";

let origin: u32 = 0;
let lastEntry: u32 = 0;
let nearWrap: bool = false;
/** Runs in a block from which on they are so short that each entry is taken by itself: they cost six times as much as entries. */
const MANY_BREAKS: u32 = 12;

/** The step as an odd number, which nearly always is 1, shifted. */
let odd: u32 = 1;
let shift: u32 = 0;

let allocated: u32 = 0;
let below: u32 = 0;
let outside: u32 = 0;
let offGrid: u32 = 0;
let duplicates: u32 = 0;

/** Takes the table into service. False if memory is short: the bitmap is then empty. */
export function scan(firstEntry: u32, highestEntry: u32, hostLimit: u32, floor: u32): bool {
  origin = firstEntry;
  lastEntry = highestEntry;
  shift = <u32>ctz<u32>(step);
  odd = step >> shift;
  nearWrap = <u64>lastEntry + step > <u64>u32.MAX_VALUE;
  allocated = below = outside = offGrid = duplicates = 0;
  clearUsed();
  setHostLimits(floor, hostLimit);
  const done = takeRuns();
  settle();
  if (!done) clearUsed();
  setTable(firstEntry, done ? allocated : 0, nearWrap);
  if (done) storeFacts();
  return done;
}

function takeRuns(): bool {
  let start: u32 = 0;
  let at: u32 = 1;
  while (at < entryCount) {
    let breaks = breaksFrom(at, min(entryCount - at, BLOCK));
    if (odd == 1 && <u32>popcnt<u64>(breaks) >= MANY_BREAKS) {
      // The block is full of them, but may be the last one.
      const next = min(at + BLOCK, entryCount);
      if (!takeRun(entryAt(start), at - start) || !takeEach(at, next)) return false;
      start = next;
      at = next + 1;
      continue;
    }
    while (breaks) {
      const next = at + <u32>ctz<u64>(breaks);
      breaks &= breaks - 1;
      if (!takeRun(entryAt(start), next - start)) return false;
      start = next;
    }
    at += BLOCK;
    if (start + BLOCK < at) at = skipRun(at, entryCount);
  }
  return start >= entryCount || takeRun(entryAt(start), entryCount - start);
}

/** Entries from `first` up to `limit`, each by itself. Those that are no cluster of the data area, or beyond the capacity, go the longer way. */
function takeEach(first: u32, limit: u32): bool {
  // Globals are read anew each time.
  const lowest = origin;
  const highest = lastEntry;
  const by = shift;
  const words = USED;
  let room = <u32>min(capacity, u32.MAX_VALUE);
  let taken: u32 = 0;
  let already: u32 = 0;
  for (let address = entryAddress(first), end = entryAddress(limit); address < end; address += 4) {
    const entry = load<u32>(address);
    const host = (entry - lowest) >> by;
    if (entry >= lowest && entry <= highest && host << by == entry - lowest && host < room) {
      const word = words + (<usize>(host >> 5) << 2);
      const bits = load<u32>(word);
      already += (bits >> host) & 1;
      store<u32>(word, bits | (1 << host));
      taken++;
    } else {
      if (!takeRun(entry, 1)) return false;
      room = <u32>min(capacity, u32.MAX_VALUE);
    }
  }
  allocated += taken;
  duplicates += already;
  return true;
}

/** One run: nearly all lie wholly between the origin and the last entry of the file. */
function takeRun(entry: u32, length: u32): bool {
  if (entry == 0) return true;
  if (entry < origin || <u64>entry + <u64>(length - 1) * step > <u64>lastEntry) return takeParts(entry, length);
  allocated += length;
  return takeInside(entry, length);
}

/** Any other run, part by part: below the data area, beyond the file, and around 2^32, where it goes on from 0. */
function takeParts(entry: u32, length: u32): bool {
  if (<u64>entry + <u64>length * step > <u64>u32.MAX_VALUE) nearWrap = true;
  while (length > 0 && entry != 0) {
    const rising = countUpTo(u32.MAX_VALUE, entry, length);
    if (!takeRising(entry, rising)) return false;
    entry += rising * step;
    length -= rising;
  }
  return true;
}

/** Entries that rise by a step, the last below 2^32. */
function takeRising(entry: u32, length: u32): bool {
  const under = entry < origin ? countUpTo(origin - 1, entry, length) : 0;
  const first = entry + under * step;
  const inside = countUpTo(lastEntry, first, length - under);
  const over = length - under - inside;
  allocated += under + over;
  below += under;
  outside += over;
  return inside == 0 || takeRun(first, inside);
}

/** How many of `length` entries that rise by a step from `entry` are not above `highest`. */
function countUpTo(highest: u32, entry: u32, length: u32): u32 {
  return entry > highest ? 0 : min(length, (highest - entry) / step + 1);
}

/** A range between the origin and the last entry of the file. */
// @ts-ignore: decorator
@inline
function takeInside(entry: u32, length: u32): bool {
  const rise = entry - origin;
  let host = rise >> shift;
  if (odd != 1) host /= odd;
  if (host * step != rise) {
    offGrid += length;
    return true;
  }
  if (!reachCluster(host + length)) return false;
  duplicates += mark(host, host + length);
  return true;
}

function storeFacts(): void {
  store<u32>(RESULTS, allocated);
  store<u32>(RESULTS, end(), 4);
  store<u32>(RESULTS, below, 8);
  store<u32>(RESULTS, outside, 12);
  store<u32>(RESULTS, offGrid, 16);
  store<u32>(RESULTS, duplicates, 20);
}
