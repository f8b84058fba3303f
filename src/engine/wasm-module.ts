/** The WebAssembly module, compiled once, on first use, and its instances: each has a memory of its own. */

import { DiskError } from "../errors.js";
import { isNoMemory, noMemory, withMemory } from "./memory.js";
import { wasmBase64 } from "./wasm-bytes.js";

/** What assembly/index.ts exports. */
export interface EngineExports {
  memory: { readonly buffer: ArrayBuffer };
  place(entryCount: number, step: number): number;
  batAddress(): number;
  extentsAddress(): number;
  extentCapacity(): number;
  resultsAddress(): number;
  scan(origin: number, lastEntry: number, hostLimit: number, floor: number): number;
  grow(entryCount: number): number;
  countFragments(): number;
  map(firstCluster: number, clusterCount: number): number;
  allocate(clusterCount: number, goal: number): number;
  reserve(hostCluster: number, clusterCount: number): number;
  release(hostCluster: number, clusterCount: number): void;
  nextFree(hostCluster: number): number;
  nextUsed(hostCluster: number): number;
  usedCount(): number;
  end(): number;
  allocatedCount(): number;
  link(firstCluster: number, hostCluster: number, clusterCount: number): void;
  unlink(firstCluster: number, clusterCount: number): void;
  placeOwners(clusterCount: number): number;
  placesAddress(): number;
  layersAddress(): number;
  entriesAddress(): number;
  entryCapacity(): number;
  ownerExtentsAddress(): number;
  ownerExtentCapacity(): number;
  adopt(layer: number, first: number, count: number, origin: number, step: number, lastEntry: number): number;
  adoptPlain(layer: number, first: number, count: number): void;
  relocate(layer: number, first: number, count: number, origin: number, step: number, lastEntry: number): number;
  relocatePlain(layer: number, first: number, count: number): void;
  mergeLayers(layer: number): void;
  clearOwners(): void;
  heldBy(layer: number): number;
  mapOwners(first: number, clusterCount: number): number;
  placeBuffer(size: number): number;
  isZero(offset: number, length: number): number;
  markBits(bits: number, from: number, to: number): number;
  clearBits(bits: number, from: number, to: number): void;
  nextBit(bits: number, from: number, limit: number, set: number): number;
  countBits(bits: number, from: number, to: number): number;
  mergeBits(bits: number, others: number, length: number): void;
}

let compiled: WebAssembly.Module | DiskError | undefined;

/** The module, compiled on the first call; or why it cannot be. */
export function compileEngine(): WebAssembly.Module | DiskError {
  if (compiled !== undefined) return compiled;
  const made = compile();
  // What memory was too short for now may be compiled later.
  if (!isNoMemory(made)) compiled = made;
  return made;
}

function compile(): WebAssembly.Module | DiskError {
  try {
    return new WebAssembly.Module(Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0)));
  } catch (cause) {
    if (cause instanceof RangeError) return noMemory("the WebAssembly engine", cause);
    const message =
      'the WebAssembly engine cannot be compiled here; the plain JavaScript engine can be used (engine: "js")';
    return new DiskError("UNSUPPORTED", message, {}, cause);
  }
}

/** The module imports nothing, so what keeps an instance from being made is that its memory cannot be had. */
export function instantiate(module: WebAssembly.Module): EngineExports {
  const make = () => new WebAssembly.Instance(module).exports as unknown as EngineExports;
  return withMemory("a WebAssembly engine, each of which reserves gigabytes of address space", make);
}
