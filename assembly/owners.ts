// What owners.wasm exports; src/engine/wasm-owners.ts declares the same for TypeScript. Numbers are as in index.ts.

export { mapOwners as map } from "./owners-map";
export {
  ENTRIES,
  ENTRY_CAPACITY,
  EXTENTS,
  EXTENT_CAPACITY,
  LAYERS,
  PLACES,
  adopt,
  adoptPlain,
  clear,
  held,
  merge,
  place,
  relocate,
  relocatePlain,
} from "./owners-table";
