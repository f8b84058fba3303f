/** The WebAssembly modules, each compiled once, on first use, and their instances: each has a memory of its own. */

import { DiskError } from "../errors.js";
import { isNoMemory, noMemory, withMemory } from "./memory.js";

/** A number that a module exports. */
export interface Constant {
  readonly value: number;
}

/** What assembly/index.ts exports. */
export interface EngineExports {
  memory: { readonly buffer: ArrayBuffer };
  BAT: Constant;
  EXTENTS: Constant;
  EXTENT_CAPACITY: Constant;
  RESULTS: Constant;
  place(entryCount: number, step: number): number;
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
  placeBuffer(size: number): number;
  isZero(offset: number, length: number): number;
  markBits(bits: number, from: number, to: number): number;
  clearBits(bits: number, from: number, to: number): void;
  nextBit(bits: number, from: number, limit: number, set: number): number;
  countBits(bits: number, from: number, to: number): number;
  mergeBits(bits: number, others: number, length: number): void;
}

/** By their text in base64. */
const compiled = new Map<string, WebAssembly.Module | DiskError>();

/** A module, compiled on the first call; or why it cannot be. */
export function compileModule(base64: string): WebAssembly.Module | DiskError {
  const known = compiled.get(base64);
  if (known !== undefined) return known;
  const made = compile(base64);
  // What memory was too short for now may be compiled later.
  if (!isNoMemory(made)) compiled.set(base64, made);
  return made;
}

function compile(base64: string): WebAssembly.Module | DiskError {
  try {
    return new WebAssembly.Module(decode(base64));
  } catch (cause) {
    if (cause instanceof RangeError) return noMemory("the WebAssembly engine", cause);
    const message =
      'the WebAssembly engine cannot be compiled here; the plain JavaScript engine can be used (engine: "js")';
    return new DiskError("UNSUPPORTED", message, {}, cause);
  }
}

/** By a plain loop: what calls a function for each byte takes as long as the compilation. */
function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** The modules import nothing, so what keeps an instance from being made is that its memory cannot be had. */
export function instantiate<Exports>(module: WebAssembly.Module): Exports {
  const make = () => new WebAssembly.Instance(module).exports as unknown as Exports;
  return withMemory("a WebAssembly engine, each of which reserves gigabytes of address space", make);
}
