/** The owners of a chain in WebAssembly: an instance of their own, whose memory never grows after the tables are made. */

import { noMemory, ownersOf } from "./memory.js";
import type { LayerGrid, Owners } from "./owners.js";
import { type EngineExports, instantiate } from "./wasm-module.js";

export class WasmOwners implements Owners {
  readonly kind = "wasm";
  readonly fallback = undefined;
  readonly clusterCount: number;
  readonly places: Uint32Array<ArrayBuffer>;
  readonly layers: Uint16Array<ArrayBuffer>;
  readonly entries: Uint32Array<ArrayBuffer>;
  readonly extents: Uint32Array<ArrayBuffer>;
  readonly extentCapacity: number;
  readonly #wasm: EngineExports;

  constructor(module: WebAssembly.Module, clusterCount: number) {
    this.clusterCount = clusterCount;
    const wasm = instantiate(module);
    this.#wasm = wasm;
    if (!wasm.placeOwners(clusterCount)) throw noMemory(ownersOf(clusterCount));
    const { buffer } = wasm.memory;
    this.extentCapacity = wasm.ownerExtentCapacity();
    this.places = new Uint32Array(buffer, wasm.placesAddress() >>> 0, clusterCount);
    this.layers = new Uint16Array(buffer, wasm.layersAddress() >>> 0, clusterCount);
    this.entries = new Uint32Array(buffer, wasm.entriesAddress() >>> 0, wasm.entryCapacity());
    this.extents = new Uint32Array(buffer, wasm.ownerExtentsAddress() >>> 0, this.extentCapacity * 3);
  }

  adopt(layer: number, first: number, count: number, { origin, step, lastEntry }: LayerGrid): number {
    return this.#wasm.adopt(layer, first, count, origin, step, lastEntry) >>> 0;
  }

  adoptPlain(layer: number, first: number, count: number): void {
    this.#wasm.adoptPlain(layer, first, count);
  }

  merge(layer: number): void {
    this.#wasm.mergeLayers(layer);
  }

  relocate(layer: number, first: number, count: number, { origin, step, lastEntry }: LayerGrid): number {
    return this.#wasm.relocate(layer, first, count, origin, step, lastEntry) >>> 0;
  }

  relocatePlain(layer: number, first: number, count: number): void {
    this.#wasm.relocatePlain(layer, first, count);
  }

  clear(): void {
    this.#wasm.clearOwners();
  }

  held(layer: number): number {
    return this.#wasm.heldBy(layer) >>> 0;
  }

  map(first: number, count: number): number {
    if (count !== 1) return this.#wasm.mapOwners(first, count);
    // Most requests are for one cluster, and looking it up here is cheaper than calling.
    this.extents[0] = 1;
    this.extents[1] = this.places[first];
    this.extents[2] = this.layers[first];
    return 1;
  }
}
