// Where the tables of an image lie in memory: owns their addresses.
//
//   | levels | results | extents + slack | BAT + slack | used bitmap | its summaries |
//
// A BAT that grows moves what lies behind it; all else stays where it is. Addresses are unsigned and every sum that
// could pass 4 GiB is made in 64 bits. Fresh memory is zero, and untouched memory costs nothing.

import { alignLine, reach } from "./memory";

/** Extents one `map` returns at most. */
export const EXTENT_CAPACITY: u32 = 1024;
/** Extents one block of lanes may add before `map` looks at the capacity again. */
const EXTENT_SLACK: u32 = 64;
/** Bytes after the BAT that a block of lanes may read (and then masks off). */
const BAT_SLACK: u64 = 256;

/** Pairs of addresses, a pair a level of the used bitmap: see used.ts. */
export const LEVELS: usize = 1024;
/** What a verb has to say beyond one number: u32s, the six facts of a scan in the order of ScanFacts, then: */
export const RESULTS: usize = 1152;
/** the run of the last `allocate`; 0 with a first cluster below the limit means no memory; */
export const RUN_RESULT: usize = RESULTS + 24;
/** the clusters that were used before the last `reserve`. */
export const ALREADY_RESULT: usize = RESULTS + 28;
/** The extent table: pairs of u32 (cluster count, entry). */
export const EXTENTS: usize = 1280;
/** The BAT, as the file holds it; also the buffer of a zero scanner. */
export const BAT: usize = EXTENTS + <usize>((EXTENT_CAPACITY + EXTENT_SLACK) * 8);

/** BAT entries. */
export let entryCount: u32 = 0;
/** Entry units between neighbouring clusters. */
export let step: u32 = 1;
/** Level 0 of the used bitmap; everything from here to the end of memory is its own. */
export let USED: usize = 0;

/** Places the tables of an image and makes room up to the used bitmap. False if there is not enough memory. */
export function placeTables(entries: u32, unitsPerCluster: u32): bool {
  step = unitsPerCluster;
  const used = behindBat(entries);
  if (!reach(used)) return false;
  settleTables(entries, <usize>used);
  return true;
}

/** Where the used bitmap lies behind a BAT of so many entries. */
export function behindBat(entries: u32): u64 {
  return alignLine(<u64>BAT + (<u64>entries << 2) + BAT_SLACK);
}

/** From now on the BAT has so many entries, and the used bitmap lies at that address. */
export function settleTables(entries: u32, used: usize): void {
  entryCount = entries;
  USED = used;
}
