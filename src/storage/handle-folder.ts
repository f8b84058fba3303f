/**
 * A folder that a user has picked, `await showDirectoryPicker({ mode: "readwrite" })`, or dropped, in browsers with the
 * File System Access API; or any directory of OPFS, outside of workers, too. What a flush means there: handle-storage.ts.
 * Other programs, and other tabs, are not kept out, but what they change is noticed before it is overwritten.
 */
import { type OptionNames, requireFlags, requireOptions } from "../caller-options.js";
import { BlobStorage } from "./blob.js";
import { type Folder, type FolderOpenOptions, requireFileName, requireOpenOptions } from "./folder.js";
import { exists, requireChangeable } from "./folder-errors.js";
import { forward } from "./forward.js";
import { HandleStorage } from "./handle-storage.js";
import { filesIn, handleError, hasFile, moveFile, removeFile, requireDirectoryHandle } from "./handles.js";
import type { Storage } from "./storage.js";
import { Uses } from "./uses.js";

/** How to open a folder by its handle. */
export interface HandleFolderOptions {
  /** Nothing in it can be changed. Default: false. */
  readOnly?: boolean;
}

const OPTIONS: OptionNames<HandleFolderOptions> = { readOnly: true };

export class HandleFolder implements Folder {
  readonly path: string;
  readonly readOnly: boolean;
  readonly #directory: FileSystemDirectoryHandle;
  readonly #uses = new Uses();

  /** @throws TypeError for what is no handle of a directory */
  constructor(handle: FileSystemDirectoryHandle, options: HandleFolderOptions = {}) {
    requireDirectoryHandle(handle);
    requireOptions(options, OPTIONS);
    requireFlags({ readOnly: options.readOnly });
    this.#directory = handle;
    this.path = handle.name;
    this.readOnly = options.readOnly ?? false;
  }

  list(): Promise<string[]> {
    return this.#telling("listing", this.path, () => filesIn(this.#directory));
  }

  async open(name: string, options: FolderOpenOptions = {}): Promise<Storage> {
    const { readOnly, share } = requireOpenOptions(options);
    requireFileName(name);
    return this.#using(name, readOnly || this.readOnly, share, async (release) => {
      const handle = await this.#directory.getFileHandle(name);
      const file = await handle.getFile();
      if (!readOnly && !this.readOnly) return new HandleStorage(name, handle, file, release);
      const blob = new BlobStorage(file);
      return forward(blob, {
        close() {
          blob.close();
          release();
        },
      });
    });
  }

  async create(name: string): Promise<Storage> {
    requireChangeable(this, name);
    return this.#using(name, false, false, async (release) => {
      if (await hasFile(this.#directory, name)) throw exists(name);
      const handle = await this.#directory.getFileHandle(name, { create: true });
      return new HandleStorage(name, handle, await handle.getFile(), release);
    });
  }

  async rename(from: string, to: string): Promise<void> {
    requireChangeable(this, from, to);
    const release = this.#uses.takeAll(from, to);
    await this.#telling("renaming", from, () => moveFile(this.#directory, from, to)).finally(release);
  }

  async remove(name: string): Promise<void> {
    requireChangeable(this, name);
    const release = this.#uses.take(name, false);
    await this.#telling("removing", name, () => removeFile(this.#directory, name)).finally(release);
  }

  /** Browsers have no such thing: names are as durable as they make them. */
  sync(): void {}

  async #using(
    name: string,
    readOnly: boolean,
    share: boolean,
    open: (release: () => void) => Promise<Storage>,
  ): Promise<Storage> {
    const release = share ? () => {} : this.#uses.take(name, readOnly);
    try {
      return await this.#telling("opening", name, () => open(release));
    } catch (error) {
      release();
      throw error;
    }
  }

  async #telling<T>(doing: string, path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw handleError(doing, path, error);
    }
  }
}
