/**
 * Memory that has done its work, kept at the page's end to go to the worker again with a request, or to be written from
 * again. Buffers change hands with each message, so without this every large one would be made anew, and a megabyte of new
 * memory costs several times the copy of a megabyte.
 */
import type { Port } from "./protocol.js";

/** Smaller buffers are made as quickly as they are sent along. */
const LEAST = 64 * 1024;
/** Bytes that are kept at most. */
const MOST_KEPT = 4 * 2 ** 20;

/** Whether it is worth sending memory back: Firefox copies all that goes through a MessagePort, in either direction. */
export const movesMemory = (port: Port): boolean => !(port instanceof MessagePort);

export const isLarge = (length: number): boolean => length >= LEAST;

export class Spares {
  #buffers: ArrayBuffer[] = [];
  #bytes = 0;
  #wanted: boolean;

  constructor(port: Port) {
    this.#wanted = movesMemory(port);
  }

  /** Memory of at least this length, where there is some. */
  take(length: number): ArrayBuffer | undefined {
    if (!isLarge(length)) return undefined;
    const index = this.#buffers.findIndex(({ byteLength }) => byteLength >= length);
    const [taken] = index < 0 ? [] : this.#buffers.splice(index, 1);
    this.#bytes -= taken?.byteLength ?? 0;
    return taken;
  }

  /** Keeps memory that nobody uses any more, if it is worth it. */
  give(memory: ArrayBufferLike | undefined): void {
    if (!this.#wanted || !(memory instanceof ArrayBuffer) || !isLarge(memory.byteLength)) return;
    if (this.#bytes + memory.byteLength > MOST_KEPT) return;
    this.#buffers.push(memory);
    this.#bytes += memory.byteLength;
  }

  /** Keeps nothing any more. */
  end(): void {
    this.#wanted = false;
    this.#buffers = [];
    this.#bytes = 0;
  }
}
