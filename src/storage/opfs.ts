/**
 * Files of the origin private file system, where a page keeps what shall survive a reload. Opened in a dedicated
 * worker; from then on every request is answered at once, so that it serves both faces. It is in one hand only: who
 * opens it for writing is alone, across tabs.
 */

import { type OptionNames, requireCreate, requireFlags, requireOptions } from "../caller-options.js";
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { quote, shownName } from "../printable.js";
import { inUse, moved, opfsError } from "./opfs-error.js";
import {
  type AccessHandle,
  fileAt,
  fileExists,
  openHandle,
  opfsRoot,
  partsOf,
  removeFile,
  requirePath,
} from "./opfs-file.js";
import { own, type Release } from "./opfs-owner.js";
import type { StorageSync } from "./storage.js";

/** How to open a file of OPFS. */
export interface OpfsOptions {
  /** Opens for reading only; several may do so at once where the browser allows (Chromium). Default: false. */
  readOnly?: boolean;
  /** "new": makes the file, which must not exist yet; "replace": makes it or empties it. Default: it must exist. */
  create?: "new" | "replace";
  /**
   * How long to wait for an owner that does not say that it lives, in milliseconds. Default: 3000; after a reload
   * Chromium lets a busy worker run for two seconds more.
   */
  waitMilliseconds?: number;
}

const OPFS_OPTIONS: OptionNames<OpfsOptions> = { readOnly: true, create: true, waitMilliseconds: true };

const DEFAULT_WAIT = 3000;

export class OpfsStorage implements StorageSync {
  readonly path: string;
  readonly readOnly: boolean;
  readonly preallocation = { mode: "truncate", size: 16 * 1024 * 1024 } as const;
  readonly #handle: AccessHandle;
  readonly #release: Release;
  #closed = false;

  private constructor(path: string, readOnly: boolean, handle: AccessHandle, release: Release) {
    this.path = path;
    this.readOnly = readOnly;
    this.#handle = handle;
    this.#release = release;
  }

  /**
   * Opens a file by its path from the root of OPFS ("disks/a.hds"), or by its handle.
   * @throws RangeError for a path that no browser, or not every one, takes
   * @throws DiskError UNSUPPORTED outside a dedicated worker and where there is no OPFS, IN_USE, NOT_FOUND, EXISTS,
   *   IS_DIRECTORY, PERMISSION, NO_SPACE, IO
   */
  static async open(file: string | FileSystemFileHandle, options: OpfsOptions = {}): Promise<OpfsStorage> {
    requireOpfsOptions(options);
    if (typeof file !== "string" && typeof file?.name !== "string")
      throw new TypeError(`file: expected a path, or the handle of a file, got ${quote(file)}`);
    const wanted = typeof file === "string" ? requirePath(file) : undefined;
    let path = wanted?.join("/") ?? (file as FileSystemFileHandle).name;
    try {
      const root = await opfsRoot();
      const parts = wanted ?? (await partsOf(root, file as FileSystemFileHandle));
      path = parts.join("/");
      return await OpfsStorage.#openOwned(root, parts, options);
    } catch (error) {
      throw error instanceof RangeError ? error : opfsError("opening", path, error);
    }
  }

  /** First the ownership, then the file: what is found out about it then stays true. */
  static async #openOwned(
    root: FileSystemDirectoryHandle,
    parts: readonly string[],
    { readOnly = false, create, waitMilliseconds = DEFAULT_WAIT }: OpfsOptions,
  ): Promise<OpfsStorage> {
    const path = parts.join("/");
    const release = await own(path, readOnly ? "shared" : "exclusive", waitMilliseconds);
    if (release === undefined) throw inUse(path);
    let handle: AccessHandle | undefined;
    let made = false;
    try {
      made = create !== undefined && !(await fileExists(root, parts));
      if (create === "new" && !made) throw exists(path);
      handle = await openHandle(await fileAt(root, parts, create !== undefined), readOnly, waitMilliseconds);
      if (create === "replace") handle.truncate(0);
      return new OpfsStorage(path, readOnly, handle, release);
    } catch (error) {
      handle?.close();
      if (made) await removeFile(root, parts).catch(() => {}); // it was never there
      release();
      throw error;
    }
  }

  read(buffer: Uint8Array, offset: number): number {
    this.#requireOpen();
    let answer: number;
    try {
      answer = this.#handle.read(buffer, { at: offset });
    } catch (error) {
      throw opfsError(`reading ${counted(buffer.length, "byte")} at ${offset} of`, this.path, error);
    }
    return moved("read", answer, buffer.length, offset, this.path);
  }

  write(buffer: Uint8Array, offset: number): number {
    this.#requireWritable();
    let answer: number;
    try {
      answer = this.#handle.write(buffer, { at: offset });
    } catch (error) {
      throw opfsError(`writing ${counted(buffer.length, "byte")} at ${offset} of`, this.path, error);
    }
    return moved("write", answer, buffer.length, offset, this.path);
  }

  size(): number {
    this.#requireOpen();
    return this.#telling("asking for the size of", () => this.#handle.getSize());
  }

  truncate(size: number): void {
    this.#requireWritable();
    this.#telling(`setting to ${counted(size, "byte")}`, () => this.#handle.truncate(size));
  }

  flush(): void {
    this.#requireOpen();
    this.#telling("flushing", () => this.#handle.flush());
  }

  close(): void {
    this.#requireOpen();
    this.#closed = true;
    try {
      this.#telling("closing", () => this.#handle.close());
    } finally {
      this.#release();
    }
  }

  /** A call to the browser, whose errors say what was tried. */
  #telling<T>(doing: string, request: () => T): T {
    try {
      return request();
    } catch (error) {
      throw opfsError(doing, this.path, error);
    }
  }

  #requireOpen(): void {
    if (this.#closed)
      throw new DiskError("CLOSED", `${shownName(this.path)} is closed: open it again`, { path: this.path });
  }

  #requireWritable(): void {
    this.#requireOpen();
    if (!this.readOnly) return;
    throw new DiskError("READ_ONLY", `${shownName(this.path)} is open for reading only: open it without readOnly`, {
      path: this.path,
    });
  }
}

function exists(path: string): DiskError {
  return new DiskError(
    "EXISTS",
    `${shownName(path)} exists already: choose another name, or say that it may be replaced`,
    {
      path,
    },
  );
}

function requireOpfsOptions(options: OpfsOptions): void {
  requireOptions(options, OPFS_OPTIONS);
  requireFlags({ readOnly: options.readOnly });
  requireCreate(options.create);
  requireWait(options.waitMilliseconds);
}

/** What a timer can wait: beyond that it would not wait at all. */
const LONGEST_WAIT = 2 ** 31 - 1;

function requireWait(wait: unknown): void {
  if (wait === undefined || (typeof wait === "number" && wait >= 0 && wait <= LONGEST_WAIT)) return;
  throw new RangeError(`waitMilliseconds: expected a number from 0 to ${LONGEST_WAIT}, got ${quote(wait)}`);
}
