/** Dirty bits in WebAssembly: buffers in an arena, where zero scanners have theirs. */

import type { DirtyBits } from "./dirty.js";
import { bitsOf } from "./memory.js";
import { type Arena, arenaFor } from "./wasm-arena.js";
import type { EngineExports } from "./wasm-module.js";

export class WasmDirtyBits implements DirtyBits {
  readonly kind = "wasm";
  readonly fallback = undefined;
  readonly bitCount: number;
  readonly #arena: Arena;
  readonly #wasm: EngineExports;
  readonly #offset: number;
  readonly #size: number;
  readonly #address: number;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #words: Int32Array<ArrayBuffer>;

  constructor(module: WebAssembly.Module, bitCount: number) {
    this.bitCount = bitCount;
    this.#size = Math.ceil(bitCount / 64) * 8;
    this.#arena = arenaFor(module, this.#size, bitsOf(bitCount));
    this.#wasm = this.#arena.wasm;
    this.#offset = this.#arena.take(this.#size);
    const bytes = this.#arena.view(this.#offset, this.#size);
    this.#bytes = bytes;
    this.#address = bytes.byteOffset;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, this.#size / 4);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes ?? new Uint8Array(0);
  }

  mark(from: number, to: number): number {
    const word = from >>> 5;
    if (from === to || word !== (to - 1) >>> 5) return this.#wasm.markBits(this.#address, from, to) >>> 0;
    // Most writes dirty a granule or a few, and setting them here is cheaper than calling.
    const bits = this.#words[word];
    const fresh = (-1 << from) & (-1 >>> -to) & ~bits;
    if (fresh === 0) return 0;
    this.#words[word] = bits | fresh;
    return (fresh & (fresh - 1)) === 0 ? 1 : bitsIn(fresh);
  }

  clear(from: number, to: number): void {
    this.#wasm.clearBits(this.#address, from, to);
  }

  nextSet(from: number): number {
    return this.#wasm.nextBit(this.#address, from, this.bitCount, 1) >>> 0;
  }

  nextClear(from: number): number {
    return this.#wasm.nextBit(this.#address, from, this.bitCount, 0) >>> 0;
  }

  count(from: number, to: number): number {
    return this.#wasm.countBits(this.#address, from, to) >>> 0;
  }

  merge(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.buffer === this.#words.buffer) {
      this.#wasm.mergeBits(this.#address, bytes.byteOffset, bytes.length);
      return;
    }
    // Those of another memory come through the desk, piece by piece.
    const { desk } = this.#arena;
    for (let done = 0; done < bytes.length; done += desk.length) {
      const piece = bytes.subarray(done, done + desk.length);
      desk.set(piece);
      this.#wasm.mergeBits(this.#address + done, desk.byteOffset, piece.length);
    }
  }

  release(): void {
    if (this.#bytes === undefined) return;
    this.#bytes = undefined;
    this.#words = new Int32Array(0);
    this.#arena.giveBack(this.#offset, this.#size);
  }
}

/** The bits of a word that are set, by sums of its pairs, nibbles, and bytes. */
function bitsIn(word: number): number {
  let sums = word - ((word >>> 1) & 0x55555555);
  sums = (sums & 0x33333333) + ((sums >>> 2) & 0x33333333);
  sums = (sums + (sums >>> 4)) & 0x0f0f0f0f;
  return Math.imul(sums, 0x01010101) >>> 24;
}
