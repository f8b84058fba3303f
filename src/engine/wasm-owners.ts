/** The owners of a chain in WebAssembly: an instance of their own, whose memory never grows after the tables are made. */

import { noMemory, ownersOf } from "./memory.js";
import type { LayerGrid, Owners } from "./owners.js";
import { type Constant, instantiate } from "./wasm-module.js";

/** What assembly/owners.ts exports. */
interface OwnersExports {
  memory: { readonly buffer: ArrayBuffer };
  EXTENTS: Constant;
  EXTENT_CAPACITY: Constant;
  ENTRIES: Constant;
  ENTRY_CAPACITY: Constant;
  PLACES: Constant;
  /** Said by `place`. */
  LAYERS: Constant;
  place(clusterCount: number): number;
  adopt(layer: number, first: number, count: number, origin: number, step: number, lastEntry: number): number;
  adoptPlain(layer: number, first: number, count: number): void;
  relocate(layer: number, first: number, count: number, origin: number, step: number, lastEntry: number): number;
  relocatePlain(layer: number, first: number, count: number): void;
  merge(layer: number): void;
  clear(): void;
  held(layer: number): number;
  map(first: number, clusterCount: number): number;
}

export class WasmOwners implements Owners {
  readonly kind = "wasm";
  readonly fallback = undefined;
  readonly clusterCount: number;
  readonly places: Uint32Array<ArrayBuffer>;
  readonly layers: Uint16Array<ArrayBuffer>;
  readonly entries: Uint32Array<ArrayBuffer>;
  readonly extents: Uint32Array<ArrayBuffer>;
  readonly extentCapacity: number;
  readonly #wasm: OwnersExports;

  constructor(module: WebAssembly.Module, clusterCount: number) {
    this.clusterCount = clusterCount;
    const wasm = instantiate<OwnersExports>(module);
    this.#wasm = wasm;
    if (!wasm.place(clusterCount)) throw noMemory(ownersOf(clusterCount));
    const { buffer } = wasm.memory;
    this.extentCapacity = wasm.EXTENT_CAPACITY.value;
    this.places = new Uint32Array(buffer, wasm.PLACES.value, clusterCount);
    this.layers = new Uint16Array(buffer, wasm.LAYERS.value >>> 0, clusterCount);
    this.entries = new Uint32Array(buffer, wasm.ENTRIES.value, wasm.ENTRY_CAPACITY.value);
    this.extents = new Uint32Array(buffer, wasm.EXTENTS.value, this.extentCapacity * 3);
  }

  adopt(layer: number, first: number, count: number, { origin, step, lastEntry }: LayerGrid): number {
    return this.#wasm.adopt(layer, first, count, origin, step, lastEntry) >>> 0;
  }

  adoptPlain(layer: number, first: number, count: number): void {
    this.#wasm.adoptPlain(layer, first, count);
  }

  merge(layer: number): void {
    this.#wasm.merge(layer);
  }

  relocate(layer: number, first: number, count: number, { origin, step, lastEntry }: LayerGrid): number {
    return this.#wasm.relocate(layer, first, count, origin, step, lastEntry) >>> 0;
  }

  relocatePlain(layer: number, first: number, count: number): void {
    this.#wasm.relocatePlain(layer, first, count);
  }

  clear(): void {
    this.#wasm.clear();
  }

  held(layer: number): number {
    return this.#wasm.held(layer) >>> 0;
  }

  map(first: number, count: number): number {
    if (count !== 1) return this.#wasm.map(first, count);
    // Most requests are for one cluster, and looking it up here is cheaper than calling.
    this.extents[0] = 1;
    this.extents[1] = this.places[first];
    this.extents[2] = this.layers[first];
    return 1;
  }
}
