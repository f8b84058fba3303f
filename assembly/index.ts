// What engine.wasm exports; src/engine/wasm-module.ts declares the same for TypeScript. Counts, indices and addresses
// are u32 (signed on the other side: `>>> 0`), never i64. A false, or an address of 0, is a lack of memory.

import { placeTables } from "./layout";
import { placeUsed } from "./used";

export { allocate, nextUsedOrEnd as nextUsed, release, reserve } from "./allocate";
export { clearBits, countBits, markBits, mergeBits, nextBit } from "./dirty";
export { countFragments } from "./fragments";
export { BAT, EXTENTS, EXTENT_CAPACITY, RESULTS } from "./layout";
export { map } from "./map";
export { scan } from "./scan";
export { allocatedCount, link, unlink } from "./table";
export { end, grow, nextFree, usedCount } from "./used";
export { isZero, placeBuffer } from "./zero";

/** Makes the tables of an image, all empty. */
export function place(entries: u32, unitsPerCluster: u32): bool {
  return placeTables(entries, unitsPerCluster) && placeUsed();
}
