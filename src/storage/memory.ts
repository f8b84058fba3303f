/** A storage in memory, for tests, for scratch disks and for images that came over a wire. Serves both faces. */
import { takeBuffer } from "../buffers.js";
import { DiskError } from "../errors.js";
import { quote } from "../printable.js";
import type { StorageSync } from "./storage.js";

const MIN_CAPACITY = 4096;

/** Of memory a view is copied: an array that is made of memory itself, of whichever realm or kind, goes on sharing it. */
function copyOf(content: Uint8Array | ArrayBufferLike): Uint8Array<ArrayBuffer> {
  if (ArrayBuffer.isView(content)) return new Uint8Array(takeBuffer(content));
  const kind = Object.prototype.toString.call(content);
  if (kind !== "[object ArrayBuffer]" && kind !== "[object SharedArrayBuffer]")
    throw new TypeError(`content: expected a Uint8Array or an ArrayBuffer, got ${quote(content)}`);
  return new Uint8Array(new Uint8Array(content));
}

export class MemoryStorage implements StorageSync {
  #bytes: Uint8Array<ArrayBuffer>;
  #size: number;
  #closed = false;

  /** Starts with a copy of `content`, or empty. */
  constructor(content: Uint8Array | ArrayBufferLike = new Uint8Array(0)) {
    this.#bytes = copyOf(content);
    this.#size = this.#bytes.length;
  }

  read(buffer: Uint8Array, offset: number): number {
    this.#requireOpen();
    const available = this.#bytes.subarray(Math.min(offset, this.#size), Math.min(offset + buffer.length, this.#size));
    buffer.set(available);
    return available.length;
  }

  write(buffer: Uint8Array, offset: number): number {
    this.#requireOpen();
    this.#grow(offset + buffer.length);
    this.#bytes.set(buffer, offset);
    return buffer.length;
  }

  size(): number {
    this.#requireOpen();
    return this.#size;
  }

  truncate(size: number): void {
    this.#requireOpen();
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    else this.#grow(size);
    this.#size = size;
  }

  flush(): void {
    this.#requireOpen();
  }

  punch(offset: number, length: number): void {
    this.#requireOpen();
    this.#bytes.fill(0, Math.min(offset, this.#size), Math.min(offset + length, this.#size));
  }

  close(): void {
    this.#closed = true;
  }

  /** A copy of the content; works after `close` too, so that what a disk wrote can be taken out. */
  toUint8Array(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#size);
  }

  /** Capacity doubles, so that appending costs amortised constant time; bytes beyond the size stay zero. */
  #grow(size: number): void {
    if (size <= this.#size) return;
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(
        Math.max(size, Math.min(2 * this.#bytes.length, this.#bytes.length + 2 ** 28), MIN_CAPACITY),
      );
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#size = size;
  }

  #requireOpen(): void {
    if (this.#closed) throw new DiskError("CLOSED", "this MemoryStorage is closed: make a new one from toUint8Array()");
  }
}
