/**
 * Several files under one roof: what a disk of more than one file stands on. A folder knows names and nothing of what
 * is in the files, which are storages. No name leads out of it: it has no parts.
 *
 * What is done to names is ordered but not durable until `sync`, as bytes are until a storage's `flush`: whoever makes
 * a file that others are to point at flushes the file, syncs the folder, and only then writes the pointer.
 */
import { type OptionNames, requireFlags, requireOptions } from "../caller-options.js";
import { quote } from "../printable.js";
import type { Storage, StorageSync } from "./storage.js";

/** How to open a file in a folder. */
export interface FolderOpenOptions {
  /** Opens for reading only; readers bear one another where the platform lets them. Default: false. */
  readOnly?: boolean;
  /** Takes no lock: reads what others may be writing, so what is read may not fit together. Only with `readOnly`. Default: false. */
  share?: boolean;
}

/**
 * A folder. Every verb may throw, or reject: RangeError for what is no file name; DiskErrors as said at each, PERMISSION
 * and IO besides. Where a file is open, for writing or, without `share`, for reading, it is IN_USE for verbs that would
 * change it or take its name away. In one that is `readOnly` the verbs that change something throw READ_ONLY, and files
 * open for reading only, asked or not.
 */
export interface Folder {
  /** A name for messages: a path, a URL. */
  readonly path?: string;
  /** True where nothing in it can be changed. */
  readonly readOnly?: boolean;
  /** The names of the files in it, in any order; folders in it are left out. @throws DiskError NOT_FOUND, UNSUPPORTED */
  list(): readonly string[] | Promise<readonly string[]>;
  /** Opens a file that exists, for writing by default. @throws DiskError NOT_FOUND, IN_USE, IS_DIRECTORY, UNSUPPORTED */
  open(name: string, options?: FolderOpenOptions): Storage | Promise<Storage>;
  /** Opens a file anywhere, by its absolute path: for callers who trust whoever wrote that path. Errors as of `open`. */
  openOutside?(path: string, options?: FolderOpenOptions): Storage | Promise<Storage>;
  /** Makes an empty file, open for writing. @throws DiskError EXISTS, READ_ONLY, NO_SPACE */
  create(name: string): Storage | Promise<Storage>;
  /**
   * Gives a file another name, over whatever has it: at any moment, and after a loss of power, the new name leads to the
   * one file or to the other, whole. Neither may be open. @throws DiskError NOT_FOUND, IN_USE, READ_ONLY, UNSUPPORTED
   */
  rename(from: string, to: string): void | Promise<void>;
  /** Removes a file, which may not be open. @throws DiskError NOT_FOUND, IN_USE, READ_ONLY */
  remove(name: string): void | Promise<void>;
  /** Resolves when names that were made, changed or removed before survive a loss of power. Flushes no file. */
  sync(): void | Promise<void>;
}

/** A folder that answers at once, with storages that do. It serves both faces. */
export interface FolderSync extends Folder {
  list(): readonly string[];
  open(name: string, options?: FolderOpenOptions): StorageSync;
  openOutside?(path: string, options?: FolderOpenOptions): StorageSync;
  create(name: string): StorageSync;
  rename(from: string, to: string): void;
  remove(name: string): void;
  sync(): void;
}

/** In bytes. */
export const LONGEST_NAME = 255;

/**
 * Whether every platform takes it for a name, and tells it from every other: 1 to 255 bytes, no separators (backslashes
 * are some platforms' own), no NUL and no halves of characters, which are not told apart, and neither "." nor "..".
 */
export function isFileName(name: unknown): name is string {
  if (typeof name !== "string" || name === "") return false;
  return !/^\.\.?$|[/\\\0\p{Cs}]/u.test(name) && new TextEncoder().encode(name).length <= LONGEST_NAME;
}

/** @throws TypeError, RangeError */
export function requireFileName(name: unknown): asserts name is string {
  if (typeof name !== "string") throw new TypeError(`name: expected a file's name, got ${quote(name)}`);
  if (isFileName(name)) return;
  throw new RangeError(
    `name: expected 1 to ${LONGEST_NAME} bytes without separators, NUL and halves of characters, not "." or "..", got ${quote(name)}`,
  );
}

const OPEN_OPTIONS: OptionNames<FolderOpenOptions> = { readOnly: true, share: true };

/** The options with their defaults. @throws TypeError */
export function requireOpenOptions(options: FolderOpenOptions): Required<FolderOpenOptions> {
  requireOptions(options, OPEN_OPTIONS);
  const { readOnly = false, share = false } = options;
  requireFlags({ readOnly, share });
  if (share && !readOnly) throw new TypeError("share: expected readOnly as well, as two writers destroy an image");
  return { readOnly, share };
}

/** How to open a folder, where the platform has folders. */
export interface FolderOptions {
  /** Nothing in it can be changed. Default: false. */
  readOnly?: boolean;
  /** "new": makes the folder, which must not exist yet. Default: it must exist. */
  create?: "new";
}

const FOLDER_OPTIONS: OptionNames<FolderOptions> = { readOnly: true, create: true };

/** @throws TypeError, RangeError */
export function requireFolderOptions(options: FolderOptions): void {
  requireOptions(options, FOLDER_OPTIONS);
  const { readOnly, create } = options;
  requireFlags({ readOnly });
  if (create !== undefined && create !== "new") throw new RangeError(`create: expected "new", got ${quote(create)}`);
  if (create && readOnly) throw new TypeError("create: expected a folder that can be changed, got readOnly");
}
