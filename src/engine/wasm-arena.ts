/**
 * Buffers in WebAssembly memory, for zero scanners and dirty bits. A memory reserves gigabytes of address space however
 * little of it is used, so they share one: an arena, of fixed size, for views of a memory that grows would break under
 * their users. One that is full is left to those who use it, and goes with the last of them; a released buffer is used again.
 */

import { noMemory } from "./memory.js";
import { type EngineExports, instantiate } from "./wasm-module.js";

const ARENA_SIZE = 16 * 1024 * 1024;
/** What is larger has a memory of its own. */
const LARGEST_SHARED = 2 * 1024 * 1024;
/** The least distance of buffers, and what they are aligned to. */
const GRAIN = 64;

/** The arena that new buffers come from, of each module. */
const arenas = new WeakMap<WebAssembly.Module, Arena>();

/** An arena that has room for a buffer. @throws DiskError NO_MEMORY @param purpose what the buffer is for */
export function arenaFor(module: WebAssembly.Module, size: number, purpose: string): Arena {
  if (size > LARGEST_SHARED) return new Arena(module, size, purpose);
  const current = arenas.get(module);
  if (current?.hasRoom(size)) return current;
  const next = new Arena(module, ARENA_SIZE, purpose);
  arenas.set(module, next);
  return next;
}

/** A memory in which buffers lie, in sizes that are powers of two. */
export class Arena {
  readonly wasm: EngineExports;
  /** Room for bytes of other memories that a verb is to work on: an instance with buffers has no use for its extent table. */
  readonly desk: Uint8Array<ArrayBuffer>;
  readonly #size: number;
  readonly #address: number;
  /** Where nothing lies yet. */
  #top = 0;
  /** Bytes below are perhaps not zero any more. */
  #touched = 0;
  #inUse = 0;
  /** The places that were given back, by size. */
  readonly #free = new Map<number, number[]>();

  constructor(module: WebAssembly.Module, size: number, purpose: string) {
    this.wasm = instantiate<EngineExports>(module);
    this.#size = size;
    this.#address = this.wasm.placeBuffer(size) >>> 0;
    if (this.#address === 0) throw noMemory(purpose);
    const { memory, EXTENTS, EXTENT_CAPACITY } = this.wasm;
    this.desk = new Uint8Array(memory.buffer, EXTENTS.value, EXTENT_CAPACITY.value * 8);
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
    return new Uint8Array(this.wasm.memory.buffer, this.#address + offset, size);
  }
}

function roomFor(size: number): number {
  let room = GRAIN;
  while (room < size) room *= 2;
  return room;
}
