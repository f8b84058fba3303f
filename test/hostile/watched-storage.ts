/** A storage in memory that keeps what the file was like after each request that changed it. */
import { MemoryStorage } from "../../src/storage/memory.js";

export class WatchedStorage extends MemoryStorage {
  /** After every change, in order: what a process that dies leaves. */
  readonly states: Uint8Array<ArrayBuffer>[] = [];

  override write(buffer: Uint8Array, offset: number): number {
    const done = super.write(buffer, offset);
    this.#note();
    return done;
  }

  override truncate(size: number): void {
    super.truncate(size);
    this.#note();
  }

  override punch(offset: number, length: number): void {
    super.punch(offset, length);
    this.#note();
  }

  #note(): void {
    this.states.push(this.toUint8Array());
  }
}
