/** A folder in memory, for tests and for what came over a wire. Serves both faces. What is closed keeps its content. */

import { quote } from "../printable.js";
import { type FolderOpenOptions, type FolderSync, requireFileName, requireOpenOptions } from "./folder.js";
import { closedFile, exists, notFound, readOnlyError } from "./folder-errors.js";
import { forward, type Own } from "./forward.js";
import { MemoryStorage } from "./memory.js";
import type { StorageSync } from "./storage.js";
import { Uses } from "./uses.js";

export class MemoryFolder implements FolderSync {
  readonly #files = new Map<string, MemoryStorage>();
  readonly #uses = new Uses();

  /** Starts with copies of these files, or empty: `new MemoryFolder(Object.entries({ "a.hds": bytes }))`. */
  constructor(files: Iterable<readonly [name: string, content: Uint8Array | ArrayBufferLike]> = []) {
    if (typeof (files as Partial<typeof files> | null)?.[Symbol.iterator] !== "function") throw noFiles(files);
    for (const file of files) {
      if (!Array.isArray(file)) throw noFiles(file);
      this.put(file[0], file[1]);
    }
  }

  /** Puts a file in, over whatever has its name. @throws DiskError IN_USE */
  put(name: string, content: Uint8Array | ArrayBufferLike): void {
    requireFileName(name);
    if (content === undefined) throw new TypeError(`content: expected the bytes of ${quote(name)}, got undefined`);
    this.#uses.requireFree(name);
    this.#files.set(name, new MemoryStorage(content));
  }

  /** A copy of a file's content, open or not. @throws DiskError NOT_FOUND */
  contentOf(name: string): Uint8Array<ArrayBuffer> {
    return this.#file(name).toUint8Array();
  }

  list(): string[] {
    return [...this.#files.keys()];
  }

  open(name: string, options: FolderOpenOptions = {}): StorageSync {
    const { readOnly, share } = requireOpenOptions(options);
    const file = this.#file(name);
    return this.#opened(name, file, readOnly, share ? () => {} : this.#uses.take(name, readOnly));
  }

  create(name: string): StorageSync {
    requireFileName(name);
    if (this.#files.has(name)) throw exists(name);
    const file = new MemoryStorage();
    this.#files.set(name, file);
    return this.#opened(name, file, false, this.#uses.take(name, false));
  }

  rename(from: string, to: string): void {
    const file = this.#file(from);
    requireFileName(to);
    this.#uses.requireFree(from, to);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  remove(name: string): void {
    this.#file(name);
    this.#uses.requireFree(name);
    this.#files.delete(name);
  }

  sync(): void {}

  #file(name: string): MemoryStorage {
    requireFileName(name);
    const file = this.#files.get(name);
    if (file === undefined) throw notFound(name);
    return file;
  }

  /** The content as one of its users has it: theirs to close, not to end. */
  #opened(path: string, file: MemoryStorage, readOnly: boolean, release: () => void): StorageSync {
    let open = true;
    const requireOpen = () => {
      if (!open) throw closedFile(path);
    };
    const refuse = () => {
      requireOpen();
      throw readOnlyError(path);
    };
    const reading: Own<StorageSync> = { write: refuse, truncate: refuse, punch: undefined, saveBeside: undefined };
    const saveBeside = (suffix: string, bytes: Uint8Array) => {
      requireOpen();
      return this.#saveBeside(path, suffix, bytes);
    };
    const close = () => {
      requireOpen();
      open = false;
      release();
    };
    return forward(file, { path, readOnly, close, saveBeside, ...(readOnly ? reading : {}) }, requireOpen);
  }

  #saveBeside(path: string, suffix: string, bytes: Uint8Array): string {
    for (let number = 1; ; number++) {
      const name = `${path}.${suffix}-${number}`;
      if (this.#files.has(name)) continue;
      this.put(name, bytes);
      return name;
    }
  }
}

function noFiles(got: unknown): TypeError {
  return new TypeError(`files: expected pairs of a name and its bytes, got ${quote(got)}`);
}
