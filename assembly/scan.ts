// One pass over a BAT that nobody has checked. Runs are found like in map; each is then sorted as a range, with
// one division, and its good part set in the used bitmap, where bits that were set already are the duplicates.
// This is where untrusted numbers come in: ranges are reckoned in 64 bits and cut to the file before they are used.

import { setHostLimits } from "./allocate";
import { RESULTS, entryCount, step } from "./layout";
import { BLOCK, breaksFrom, entryAt, skipRun } from "./runs";
import { setTable } from "./table";
import { clearUsed, end, mark, reachCluster, settle } from "./used";

let origin: u32 = 0;
let lastEntry: u32 = 0;
let nearWrap: bool = false;

let allocated: u32 = 0;
let below: u32 = 0;
let outside: u32 = 0;
let offGrid: u32 = 0;
let duplicates: u32 = 0;

/** Takes the table into service. False if memory is short: the bitmap is then empty. */
export function scan(firstEntry: u32, highestEntry: u32, hostLimit: u32, floor: u32): bool {
  origin = firstEntry;
  lastEntry = highestEntry;
  nearWrap = false;
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
  const steps = i32x4.splat(step);
  let start: u32 = 0;
  let at: u32 = 1;
  while (at < entryCount) {
    let breaks = breaksFrom(at, min(entryCount - at, BLOCK), steps);
    while (breaks) {
      const next = at + <u32>ctz<u64>(breaks);
      breaks &= breaks - 1;
      if (!takeRun(entryAt(start), next - start)) return false;
      start = next;
    }
    at += BLOCK;
    if (start + BLOCK < at) at = skipRun(at, entryCount);
  }
  return entryCount == 0 || takeRun(entryAt(start), entryCount - start);
}

/** One run, where it wraps around 2^32 as several. */
function takeRun(entry: u32, length: u32): bool {
  while (<u64>entry + <u64>length * step > <u64>u32.MAX_VALUE && entry) {
    nearWrap = true;
    const fitting = min(length, (u32.MAX_VALUE - entry) / step + 1);
    if (!takeRange(entry, fitting)) return false;
    length -= fitting;
    if (length == 0) return true;
    entry += fitting * step;
  }
  return entry == 0 || takeRange(entry, length);
}

/** Entries that rise by a step, the first not 0 and the last below 2^32. */
// @ts-ignore: decorator
@inline
function takeRange(entry: u32, length: u32): bool {
  const last = <u64>entry + <u64>(length - 1) * step;
  allocated += length;
  if (entry >= origin && last <= <u64>lastEntry) return takeInside(entry, length);
  return takePartly(entry, length);
}

/** A range that lies partly or wholly below the data area or beyond the file. */
function takePartly(entry: u32, length: u32): bool {
  if (entry < origin) {
    const under = min(length, (origin - entry - 1) / step + 1);
    below += under;
    length -= under;
    if (length == 0) return true;
    entry += under * step;
  }
  const inside = entry > lastEntry ? 0 : min(length, (lastEntry - entry) / step + 1);
  outside += length - inside;
  return inside == 0 || takeInside(entry, inside);
}

/** A range between the origin and the last entry of the file. */
// @ts-ignore: decorator
@inline
function takeInside(entry: u32, length: u32): bool {
  const host = (entry - origin) / step;
  if (host * step != entry - origin) {
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
