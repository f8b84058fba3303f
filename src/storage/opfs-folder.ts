/**
 * A folder of the origin private file system, in a dedicated worker. Its files are OpfsStorages: once they are open they
 * answer at once and serve both faces. Names do not: browsers look them up, make and remove them with promises only, so
 * there is no FolderSync here. Names are as durable as the browser makes them; there is nothing to sync them with.
 */
import { fieldOf } from "../errors.js";
import { quote } from "../printable.js";
import { BlobStorage } from "./blob.js";
import {
  type Folder,
  type FolderOpenOptions,
  type FolderOptions,
  requireFileName,
  requireFolderOptions,
  requireOpenOptions,
} from "./folder.js";
import { exists, requireChangeable } from "./folder-errors.js";
import { filesIn, moveFile, removeFile } from "./handles.js";
import { OpfsStorage } from "./opfs.js";
import { inUse, opfsError } from "./opfs-error.js";
import { directoryAt, opfsRoot, partsOf, requireParts } from "./opfs-file.js";
import { own, type Release } from "./opfs-owner.js";
import type { Storage } from "./storage.js";

/** How long a file is waited for whose owner does not say that it lives, in milliseconds. */
const PATIENCE = 3000;

export class OpfsFolder implements Folder {
  /** From the root of OPFS; "" for the root itself. */
  readonly path: string;
  readonly readOnly: boolean;
  readonly #directory: FileSystemDirectoryHandle;

  private constructor(path: string, readOnly: boolean, directory: FileSystemDirectoryHandle) {
    this.path = path;
    this.readOnly = readOnly;
    this.#directory = directory;
  }

  /**
   * Opens a folder by its path from the root of OPFS ("disks/a.hdd"; "" is the root), or by its handle.
   * @throws RangeError for a path that no browser, or not every one, takes
   * @throws DiskError UNSUPPORTED outside a dedicated worker and where there is no OPFS, NOT_FOUND, EXISTS, PERMISSION, IO
   */
  static async open(folder: string | FileSystemDirectoryHandle, options: FolderOptions = {}): Promise<OpfsFolder> {
    requireFolderOptions(options);
    const wanted = typeof folder === "string" ? requireParts(folder) : undefined;
    if (wanted === undefined && fieldOf(folder, "kind") !== "directory")
      throw new TypeError(`folder: expected a path, or the handle of a folder, got ${quote(folder)}`);
    const { readOnly = false, create } = options;
    try {
      const root = await opfsRoot();
      const parts = wanted ?? (await partsOf(root, folder as FileSystemDirectoryHandle));
      if (create && (await isThere(root, parts))) throw exists(parts.join("/"));
      return new OpfsFolder(parts.join("/"), readOnly, await directoryAt(root, parts, create !== undefined));
    } catch (error) {
      throw opfsError("opening", typeof folder === "string" ? folder : folder.name, error);
    }
  }

  list(): Promise<string[]> {
    return this.#telling("listing", this.path, () => filesIn(this.#directory));
  }

  /** Opened with `share` a file is read as it is now: what is written to it afterwards makes it CHANGED. */
  async open(name: string, options: FolderOpenOptions = {}): Promise<Storage> {
    const { readOnly, share } = requireOpenOptions(options);
    requireFileName(name);
    if (!share) return OpfsStorage.open(this.#pathOf(name), { readOnly: readOnly || this.readOnly });
    return this.#telling("opening", this.#pathOf(name), async () => {
      const handle = await this.#directory.getFileHandle(name);
      return new BlobStorage(await handle.getFile());
    });
  }

  async create(name: string): Promise<OpfsStorage> {
    requireChangeable(this, name);
    return OpfsStorage.open(this.#pathOf(name), { create: "new" });
  }

  /** One step in every browser of today: see `moveFile`. */
  async rename(from: string, to: string): Promise<void> {
    requireChangeable(this, from, to);
    await this.#owning([from, to], () =>
      this.#telling("renaming", this.#pathOf(from), () => moveFile(this.#directory, from, to)),
    );
  }

  async remove(name: string): Promise<void> {
    requireChangeable(this, name);
    await this.#owning([name], () =>
      this.#telling("removing", this.#pathOf(name), () => removeFile(this.#directory, name)),
    );
  }

  sync(): void {}

  #pathOf(name: string): string {
    return this.path === "" ? name : `${this.path}/${name}`;
  }

  /** Does something to names while nobody else has their files open. */
  async #owning(names: readonly string[], act: () => Promise<void>): Promise<void> {
    const releases: Release[] = [];
    try {
      for (const name of [...new Set(names)].sort()) {
        const path = this.#pathOf(name);
        const release = await own(path, "exclusive", PATIENCE);
        if (release === undefined) throw inUse(path);
        releases.push(release);
      }
      await act();
    } finally {
      for (const release of releases) release();
    }
  }

  async #telling<T>(doing: string, path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw opfsError(doing, path, error);
    }
  }
}

async function isThere(root: FileSystemDirectoryHandle, parts: readonly string[]): Promise<boolean> {
  try {
    await directoryAt(root, parts, false);
    return true;
  } catch (error) {
    if (fieldOf(error, "name") === "NotFoundError") return false;
    throw error;
  }
}
