/**
 * A storage that knows what a loss of power would leave of it at the worst. Of what came after the last flush two parts
 * matter most: header and BAT without the data, which shows entries that came too early, and the data without them, which
 * shows clusters that were used again too early.
 */
import { MemoryStorage } from "../../src/storage/memory.js";
import type { StorageSync } from "../../src/storage/storage.js";

export class DurableStorage implements StorageSync {
  readonly memory: MemoryStorage;
  /** Called with what would be left, whenever that has changed. */
  onChange: ((left: MemoryStorage) => void) | undefined;
  /** What the last flush covered, with the changes of header and BAT since then, or with the others. */
  #tables: MemoryStorage;
  #data: MemoryStorage;
  readonly #dataStart: number;

  constructor(image: Uint8Array<ArrayBuffer>, dataStart: number) {
    this.memory = new MemoryStorage(image);
    this.#tables = new MemoryStorage(image);
    this.#data = new MemoryStorage(image);
    this.#dataStart = dataStart;
  }

  read(buffer: Uint8Array, offset: number): number {
    return this.memory.read(buffer, offset);
  }

  write(buffer: Uint8Array, offset: number): number {
    const part = offset < this.#dataStart ? this.#tables : this.#data;
    part.write(buffer, offset);
    this.onChange?.(part);
    return this.memory.write(buffer, offset);
  }

  size(): number {
    return this.memory.size();
  }

  truncate(size: number): void {
    this.memory.truncate(size);
  }

  flush(): void {
    const image = this.memory.toUint8Array();
    this.#tables = new MemoryStorage(image);
    this.#data = new MemoryStorage(image);
    this.onChange?.(this.#tables);
  }

  punch(offset: number, length: number): void {
    this.#data.punch(offset, length);
    this.onChange?.(this.#data);
    this.memory.punch(offset, length);
  }

  close(): void {
    this.memory.close();
  }
}
