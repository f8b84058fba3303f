/** A Blob or a File that a user has chosen or dropped: read where it lies, never loaded as a whole. Read-only. */

import { DiskError, fieldOf, storageError } from "../errors.js";
import { quote } from "../printable.js";
import type { Storage } from "./storage.js";

/** A blob hands out copies, so this bounds what one read costs in memory. */
const MAX_TRANSFER = 4 * 2 ** 20;

export class BlobStorage implements Storage {
  /** The file's name; a Blob has none. */
  readonly path: string;
  readonly readOnly = true;
  #blob: Blob | undefined;

  constructor(blob: Blob) {
    if (!(blob instanceof Blob)) throw new TypeError(`blob: expected a Blob or a File, got ${quote(blob)}`);
    this.#blob = blob;
    const { name } = blob as { name?: unknown };
    this.path = typeof name === "string" && name !== "" ? name : "a Blob";
  }

  /** @throws DiskError CLOSED, NOT_FOUND, CHANGED, IO */
  async read(buffer: Uint8Array, offset: number): Promise<number> {
    const blob = this.#open();
    const part = blob.slice(offset, Math.min(offset + Math.min(buffer.length, MAX_TRANSFER), blob.size));
    if (part.size === 0) return 0;
    const bytes = new Uint8Array(await part.arrayBuffer().catch((error) => this.#fail(error)));
    if (bytes.length !== part.size) throw this.#changed();
    buffer.set(bytes);
    return bytes.length;
  }

  write(): never {
    throw this.#readOnly();
  }

  size(): number {
    return this.#open().size;
  }

  truncate(): never {
    throw this.#readOnly();
  }

  flush(): void {
    this.#open();
  }

  close(): void {
    this.#open();
    this.#blob = undefined;
  }

  #open(): Blob {
    if (this.#blob === undefined) throw new DiskError("CLOSED", `${this.path} is closed: open it again`);
    return this.#blob;
  }

  #readOnly(): DiskError {
    return new DiskError("READ_ONLY", `${this.path} cannot be written: copy it into a storage that can`);
  }

  /** Browsers pin a File to the moment when it was chosen: one that was written since cannot be read any more. */
  #fail(cause: unknown): never {
    const name = fieldOf(cause, "name");
    if (name === "NotFoundError")
      throw new DiskError("NOT_FOUND", `${this.path} is gone: choose the file again`, {}, cause);
    if (name === "NotReadableError") throw this.#changed(cause);
    throw storageError(`reading ${this.path}`, cause);
  }

  #changed(cause?: unknown): DiskError {
    const message = `${this.path} was changed or became unreadable since it was chosen: choose the file again`;
    return new DiskError("CHANGED", message, {}, cause);
  }
}
