// What the module exports; src/engine/wasm.ts declares the same for TypeScript. Counts, indices and addresses
// are u32 (signed on the other side: `>>> 0`), never i64. A false, or an address of 0, is a lack of memory.

import { BAT, EXTENTS, EXTENT_CAPACITY, RESULTS, placeTables } from "./layout";
import { placeUsed } from "./used";

export { allocate, nextUsedOrEnd as nextUsed, release, reserve } from "./allocate";
export { countFragments } from "./fragments";
export { map } from "./map";
export { scan } from "./scan";
export { allocatedCount, link, unlink } from "./table";
export { end, grow, nextFree, usedCount } from "./used";
export { isZero, placeBuffer } from "./zero";

/** Makes the tables of an image, all empty. */
export function place(entries: u32, unitsPerCluster: u32): bool {
  return placeTables(entries, unitsPerCluster) && placeUsed();
}

export function batAddress(): usize {
  return BAT;
}

export function extentsAddress(): usize {
  return EXTENTS;
}

export function extentCapacity(): u32 {
  return EXTENT_CAPACITY;
}

export function resultsAddress(): usize {
  return RESULTS;
}
