/**
 * A file of a handle that browsers write by streams only: a stream works on a copy of the whole file, which takes the
 * file's place when the stream is closed. So changes are kept here, in blocks, and a flush hands them over in one
 * stream: all that was written since the last one is in the file, or nothing of it, whatever happens to the tab.
 *
 * A flush costs a copy of the file, in a browser that shares no blocks; and whether the file then survives a loss of
 * power, browsers do not say. More changes than the memory for them are handed over before they are flushed.
 */
import { DiskError } from "../errors.js";
import { shownName } from "../printable.js";
import { closedFile } from "./folder-errors.js";
import { handleError } from "./handles.js";
import type { Storage } from "./storage.js";

const BLOCK = 64 * 1024;
/** Bytes of changes that are kept. */
const MOST_KEPT = 64 * 2 ** 20;

export class HandleStorage implements Storage {
  readonly path: string;
  readonly #handle: FileSystemFileHandle;
  readonly #release: () => void;
  /** The file as it was when it was last handed over. */
  #file: File;
  /** Its bytes from here on are not there any more, and read as zeros. */
  #kept: number;
  #size: number;
  /** What was changed, in whole blocks, zeros behind the size. */
  readonly #blocks = new Map<number, Uint8Array<ArrayBuffer>>();
  /** One request after the other. */
  #line: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(path: string, handle: FileSystemFileHandle, file: File, release: () => void) {
    this.path = path;
    this.#handle = handle;
    this.#file = file;
    this.#kept = this.#size = file.size;
    this.#release = release;
  }

  read(buffer: Uint8Array, offset: number): Promise<number> {
    return this.#next("reading", async () => {
      const length = Math.max(0, Math.min(buffer.length, BLOCK - (offset % BLOCK), this.#size - offset));
      if (length === 0) return 0;
      const block = this.#blocks.get(Math.floor(offset / BLOCK));
      if (block) buffer.set(block.subarray(offset % BLOCK, (offset % BLOCK) + length));
      else buffer.set(await this.#fromFile(offset, length));
      return length;
    });
  }

  write(buffer: Uint8Array, offset: number): Promise<number> {
    return this.#next("writing", async () => {
      const length = Math.min(buffer.length, BLOCK - (offset % BLOCK));
      const block = await this.#block(Math.floor(offset / BLOCK), length);
      block.set(buffer.subarray(0, length), offset % BLOCK);
      this.#size = Math.max(this.#size, offset + length);
      if (this.#blocks.size * BLOCK > MOST_KEPT) await this.#handOver();
      return length;
    });
  }

  size(): Promise<number> {
    return this.#next("asking for the size of", async () => this.#size);
  }

  truncate(size: number): Promise<void> {
    return this.#next("setting the size of", async () => {
      this.#kept = Math.min(this.#kept, size);
      this.#size = size;
      for (const [index, block] of this.#blocks) {
        if (index * BLOCK >= size) this.#blocks.delete(index);
        else block.fill(0, Math.min(BLOCK, size - index * BLOCK));
      }
    });
  }

  flush(): Promise<void> {
    return this.#next("writing", () => this.#handOver());
  }

  /** What was written is in the file then, as in any file; it is closed in any case. */
  close(): Promise<void> {
    const ended = this.#next("closing", () => this.#handOver()).finally(this.#release);
    this.#closed = true;
    return ended;
  }

  /** A request, when those before it have ended. */
  #next<T>(doing: string, request: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closedFile(this.path));
    const answer = this.#line.then(request).catch((error) => {
      throw handleError(doing, this.path, error);
    });
    this.#line = answer.catch(() => {});
    return answer;
  }

  async #fromFile(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    const part = this.#file.slice(offset, Math.min(offset + length, this.#kept));
    if (offset < this.#kept) bytes.set(new Uint8Array(await part.arrayBuffer().catch((error) => this.#fail(error))));
    return bytes;
  }

  /** A block to be changed, of which so much is overwritten. */
  async #block(index: number, overwritten: number): Promise<Uint8Array<ArrayBuffer>> {
    let block = this.#blocks.get(index);
    if (block === undefined) {
      block = overwritten === BLOCK ? new Uint8Array(BLOCK) : await this.#fromFile(index * BLOCK, BLOCK);
      this.#blocks.set(index, block);
    }
    return block;
  }

  async #handOver(): Promise<void> {
    if (this.#blocks.size === 0 && this.#size === this.#file.size && this.#kept === this.#size) return;
    const { size, lastModified } = await this.#handle.getFile();
    if (size !== this.#file.size || lastModified !== this.#file.lastModified) throw this.#changed();
    const stream = await this.#handle.createWritable({ keepExistingData: true });
    try {
      if (this.#kept < size) await stream.truncate(this.#kept);
      for (const [index, block] of this.#blocks) {
        const data = block.subarray(0, this.#size - index * BLOCK);
        await stream.write({ type: "write", position: index * BLOCK, data });
      }
      await stream.truncate(this.#size);
      await stream.close();
    } catch (error) {
      await stream.abort().catch(() => {});
      throw error;
    }
    this.#file = await this.#handle.getFile();
    this.#kept = this.#size;
    this.#blocks.clear();
  }

  #fail(cause: unknown): never {
    throw (cause as Error)?.name === "NotReadableError" ? this.#changed(cause) : cause;
  }

  #changed(cause?: unknown): DiskError {
    const message = `${shownName(this.path)} was changed by others since it was opened: nothing more is written; open it again`;
    return new DiskError("CHANGED", message, { path: this.path }, cause);
  }
}
