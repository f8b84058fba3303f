/** Zero scanners in WebAssembly: buffers in an arena that they share. */

import type { ZeroScanner } from "./engine.js";
import { bufferOf } from "./memory.js";
import { type Arena, arenaFor } from "./wasm-arena.js";

export class WasmZeroScanner implements ZeroScanner {
  readonly kind = "wasm";
  readonly fallback = undefined;
  readonly #arena: Arena;
  readonly #offset: number;
  readonly #size: number;
  #buffer: Uint8Array<ArrayBuffer> | undefined;

  constructor(module: WebAssembly.Module, size: number) {
    this.#arena = arenaFor(module, size, bufferOf(size));
    this.#size = size;
    this.#offset = this.#arena.take(size);
    this.#buffer = this.#arena.view(this.#offset, size);
  }

  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#buffer ?? new Uint8Array(0);
  }

  isZero(offset: number, length: number): boolean {
    return this.#arena.wasm.isZero(this.#offset + offset, length) !== 0;
  }

  release(): void {
    if (this.#buffer === undefined) return;
    this.#buffer = undefined;
    this.#arena.giveBack(this.#offset, this.#size);
  }
}
