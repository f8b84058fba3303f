// What the module exports; src/engine/wasm.ts declares the same for TypeScript. Counts, indices and addresses
// are u32 (signed on the other side: `>>> 0`), never i64. A false, or an address of 0, is a lack of memory.

import { BAT, EXTENTS, EXTENT_CAPACITY, RESULTS, placeTables } from "./layout";
import { ENTRIES, ENTRY_CAPACITY, LAYERS, OWNER_EXTENTS, OWNER_EXTENT_CAPACITY, PLACES } from "./owners";
import { placeUsed } from "./used";

export { allocate, nextUsedOrEnd as nextUsed, release, reserve } from "./allocate";
export { clearBits, countBits, markBits, mergeBits, nextBit } from "./dirty";
export { countFragments } from "./fragments";
export { map } from "./map";
export {
  adopt,
  adoptPlain,
  clearOwners,
  heldBy,
  mergeLayers,
  placeOwners,
  relocate,
  relocatePlain,
} from "./owners";
export { mapOwners } from "./owners-map";
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

export function placesAddress(): usize {
  return PLACES;
}

export function layersAddress(): usize {
  return LAYERS;
}

export function entriesAddress(): usize {
  return ENTRIES;
}

export function entryCapacity(): u32 {
  return ENTRY_CAPACITY;
}

export function ownerExtentsAddress(): usize {
  return OWNER_EXTENTS;
}

export function ownerExtentCapacity(): u32 {
  return OWNER_EXTENT_CAPACITY;
}
