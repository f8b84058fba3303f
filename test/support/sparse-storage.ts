/** A file of any length in memory that takes only what is not a hole: nothing here is of Node. */
import type { StorageSync } from "../../src/storage/storage.js";

const PAGE = 4096;

export interface Part {
  offset: number;
  bytes: Uint8Array;
}

/** A file in memory that takes only what is not a hole. */
export class SparseStorage implements StorageSync {
  readonly #pages = new Map<number, Uint8Array>();
  #size: number;
  /** Bytes that were written, zeros too. */
  written = 0;

  constructor(size: number, parts: readonly Part[]) {
    this.#size = size;
    for (const { offset, bytes } of parts) this.write(bytes, offset);
    this.#size = size;
  }

  /** Bytes in pages. */
  get held(): number {
    return this.#pages.size * PAGE;
  }

  read(buffer: Uint8Array, offset: number): number {
    const length = Math.max(0, Math.min(buffer.length, this.#size - offset));
    const target = buffer.subarray(0, length).fill(0);
    this.#each(offset, length, (number, from, to, at) => {
      const page = this.#pages.get(number);
      if (page) target.set(page.subarray(from, to), at);
    });
    return length;
  }

  write(buffer: Uint8Array, offset: number): number {
    this.written += buffer.length;
    this.#each(offset, buffer.length, (number, from, to, at) => {
      const part = buffer.subarray(at, at + to - from);
      const page = this.#pages.get(number);
      if (page) page.set(part, from);
      else if (part.some((byte) => byte !== 0)) {
        const fresh = new Uint8Array(PAGE);
        fresh.set(part, from);
        this.#pages.set(number, fresh);
      }
    });
    this.#size = Math.max(this.#size, offset + buffer.length);
    return buffer.length;
  }

  size(): number {
    return this.#size;
  }

  truncate(size: number): void {
    for (const number of [...this.#pages.keys()]) if (number * PAGE >= size) this.#pages.delete(number);
    this.#size = size;
  }

  flush(): void {}

  close(): void {}

  nextData(offset: number): { start: number; end: number } | undefined {
    const numbers = [...this.#pages.keys()].filter(
      (number) => (number + 1) * PAGE > offset && number * PAGE < this.#size,
    );
    if (numbers.length === 0) return undefined;
    const first = Math.min(...numbers);
    return { start: Math.max(offset, first * PAGE), end: Math.min(this.#size, (first + 1) * PAGE) };
  }

  #each(offset: number, length: number, act: (page: number, from: number, to: number, at: number) => void): void {
    for (let at = 0; at < length; ) {
      const from = (offset + at) % PAGE;
      const to = Math.min(PAGE, from + length - at);
      act(Math.floor((offset + at) / PAGE), from, to, at);
      at += to - from;
    }
  }
}
