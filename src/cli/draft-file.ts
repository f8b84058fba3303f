/**
 * The file beneath a draft. A draft is of no use to anybody before it is complete, so its writes need no order: it is
 * made durable once, at its end, and may be longer than it says until then. What it gets the system begins to write
 * at once, while the next is read: the flush at the end finds little left to wait for.
 */
import type { Storage } from "../index.js";
import type { FileStorage } from "../node.js";

/** How far it grows ahead: growing is slow, as writes wait for it. */
const GROWTH = 256 * 1024 * 1024;

/** So many new bytes are worth a call that has them written back. */
const WRITE_BACK = 8 * 1024 * 1024;

/** Up to so many bytes are in the page cache before a thread of the pool would have begun to put them there. */
const SMALL = 256 * 1024;

export class DraftFile implements Storage {
  readonly path: string;
  readonly #file: FileStorage;
  #size: number;
  /** How long the file is, at least. */
  #reached: number;
  /** Bytes that nobody has asked the system to write yet. */
  #fresh = 0;
  #writingBack = false;

  private constructor(file: FileStorage, size: number) {
    this.path = file.path;
    this.#file = file;
    this.#size = this.#reached = size;
  }

  static async over(file: FileStorage): Promise<DraftFile> {
    return new DraftFile(file, await file.size());
  }

  read(buffer: Uint8Array, offset: number): Promise<number> {
    return this.#file.read(buffer, offset);
  }

  write(buffer: Uint8Array, offset: number): number | Promise<number> {
    this.#size = Math.max(this.#size, offset + buffer.length);
    if (buffer.length <= SMALL) return this.#written(this.#file.writeNow(buffer, offset));
    return this.#file.write(buffer, offset).then((written) => this.#written(written));
  }

  #written(length: number): number {
    this.#fresh += length;
    this.#writeBack();
    return length;
  }

  size(): number {
    return this.#size;
  }

  async truncate(size: number): Promise<void> {
    if (size < this.#size || size > this.#reached) {
      this.#reached = size < this.#size ? size : size + GROWTH;
      await this.#file.truncate(this.#reached);
    }
    this.#size = size;
  }

  /** Not before the end. */
  flush(): void {}

  async close(): Promise<void> {
    await this.#file.truncate(this.#size);
    await this.#file.flush();
    await this.#file.close();
  }

  /** One call at a time: each is for all that came during the one before. */
  #writeBack(): void {
    if (this.#writingBack || this.#fresh < WRITE_BACK) return;
    this.#writingBack = true;
    this.#fresh = 0;
    const ended = () => {
      this.#writingBack = false;
      this.#writeBack();
    };
    this.#file.writeBack().then(ended, ended); // an economy: what fails here the flush tells of
  }
}
