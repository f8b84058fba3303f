/**
 * Zero scanners in WebAssembly. A memory reserves gigabytes of address space however little of it is used, so scanners
 * share one: an arena, of fixed size, for views of a memory that grows would break under their users. One that is full is
 * left to those who use it, and goes with the last of them; a released buffer is used again.
 */

import type { ZeroScanner } from "./engine.js";
import { bufferOf, noMemory } from "./memory.js";
import { type EngineExports, instantiate } from "./wasm-module.js";

const ARENA_SIZE = 16 * 1024 * 1024;
/** What is larger has a memory of its own. */
const LARGEST_SHARED = 2 * 1024 * 1024;
/** The least distance of buffers, and what they are aligned to. */
const GRAIN = 64;

/** The arena that new scanners come from, of each module. */
const arenas = new WeakMap<WebAssembly.Module, Arena>();

export class WasmZeroScanner implements ZeroScanner {
  readonly kind = "wasm";
  readonly fallback = undefined;
  readonly #arena: Arena;
  readonly #offset: number;
  readonly #size: number;
  #buffer: Uint8Array<ArrayBuffer> | undefined;

  constructor(module: WebAssembly.Module, size: number) {
    this.#arena = arenaFor(module, size);
    this.#size = size;
    this.#offset = this.#arena.take(size);
    this.#buffer = this.#arena.view(this.#offset, size);
  }

  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#buffer ?? new Uint8Array(0);
  }

  isZero(offset: number, length: number): boolean {
    return this.#arena.isZero(this.#offset + offset, length);
  }

  release(): void {
    if (this.#buffer === undefined) return;
    this.#buffer = undefined;
    this.#arena.giveBack(this.#offset, this.#size);
  }
}

/** An arena that has room for a buffer. */
function arenaFor(module: WebAssembly.Module, size: number): Arena {
  if (size > LARGEST_SHARED) return new Arena(module, size);
  const current = arenas.get(module);
  if (current?.hasRoom(size)) return current;
  const next = new Arena(module, ARENA_SIZE);
  arenas.set(module, next);
  return next;
}

/** A memory in which buffers lie, in sizes that are powers of two. */
class Arena {
  readonly #wasm: EngineExports;
  readonly #size: number;
  readonly #address: number;
  /** Where nothing lies yet. */
  #top = 0;
  /** Bytes below are perhaps not zero any more. */
  #touched = 0;
  #inUse = 0;
  /** The places that were given back, by size. */
  readonly #free = new Map<number, number[]>();

  constructor(module: WebAssembly.Module, size: number) {
    this.#wasm = instantiate(module);
    this.#size = size;
    this.#address = this.#wasm.placeBuffer(size) >>> 0;
    if (this.#address === 0) throw noMemory(bufferOf(size));
  }

  hasRoom(size: number): boolean {
    const room = roomFor(size);
    return this.#top + room <= this.#size || (this.#free.get(room)?.length ?? 0) > 0;
  }

  /** Takes a place for a buffer, which is all zeros. */
  take(size: number): number {
    const room = roomFor(size);
    const offset = this.#free.get(room)?.pop() ?? this.#top;
    if (offset === this.#top) this.#top += room;
    if (offset < this.#touched) this.view(offset, size).fill(0);
    this.#touched = Math.max(this.#touched, this.#top);
    this.#inUse++;
    return offset;
  }

  giveBack(offset: number, size: number): void {
    if (--this.#inUse === 0) {
      this.#free.clear();
      this.#top = 0;
      return;
    }
    const room = roomFor(size);
    const places = this.#free.get(room);
    if (places) places.push(offset);
    else this.#free.set(room, [offset]);
  }

  view(offset: number, size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#wasm.memory.buffer, this.#address + offset, size);
  }

  isZero(offset: number, length: number): boolean {
    return this.#wasm.isZero(offset, length) !== 0;
  }
}

function roomFor(size: number): number {
  let room = GRAIN;
  while (room < size) room *= 2;
  return room;
}
