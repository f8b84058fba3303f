/**
 * Folders of Node, in both faces. Files are locked as everywhere; what is to lose its name is locked while it does, so
 * that nobody has it open. Symbolic links are followed inside the folder only, and where a name is renamed or removed it
 * is the link itself.
 */
import * as fs from "node:fs";
import { dirname, isAbsolute, join, sep } from "node:path";
import { DiskError, storageError } from "../errors.js";
import { quote } from "../printable.js";
import { realTarget, syncDirectory, syncDirectoryLater } from "./directory.js";
import { FileStorage, FileStorageSync } from "./file.js";
import { type FileOptions, requirePath } from "./file-handle.js";
import {
  type Folder,
  type FolderOpenOptions,
  type FolderOptions,
  type FolderSync,
  isFileName,
  requireFileName,
  requireFolderOptions,
  requireOpenOptions,
} from "./folder.js";
import { exists, notFound, requireChangeable } from "./folder-errors.js";
import { isLockFile } from "./lock-files.js";

export class FileFolderSync implements FolderSync {
  readonly path: string;
  readonly readOnly: boolean;

  private constructor(path: string, options: FolderOptions) {
    requirePath(path);
    requireFolderOptions(options);
    this.path = path;
    this.readOnly = options.readOnly ?? false;
    if (options.create === "new") makeDirectory(path);
    else requireDirectory(path);
  }

  /** @throws DiskError NOT_FOUND, EXISTS, UNSUPPORTED for what is no folder, PERMISSION, IO */
  static open(path: string, options: FolderOptions = {}): FileFolderSync {
    return new FileFolderSync(path, options);
  }

  list(): string[] {
    return this.#telling("listing", () => fs.readdirSync(this.path, { withFileTypes: true }))
      .filter((entry) => isFileName(entry.name) && !isLockFile(entry.name) && this.#isFile(entry))
      .map(({ name }) => name);
  }

  open(name: string, options: FolderOpenOptions = {}): FileStorageSync {
    return FileStorageSync.open(...this.opening(name, options));
  }

  openOutside(path: string, options: FolderOpenOptions = {}): FileStorageSync {
    return FileStorageSync.open(...this.openingOutside(path, options));
  }

  create(name: string): FileStorageSync {
    return FileStorageSync.open(...this.creating(name));
  }

  rename(from: string, to: string): void {
    const [source, target] = this.#changing(from, to) as [string, string];
    this.#holding([source, target], () => fs.renameSync(source, target), `renaming ${source} to ${target}`);
  }

  remove(name: string): void {
    const [path] = this.#changing(name) as [string];
    this.#holding([path], () => fs.unlinkSync(path), `removing ${path}`);
  }

  sync(): void {
    syncDirectory(this.path);
  }

  /** What opens a file. @internal */
  opening(name: string, options: FolderOpenOptions): [path: string, options: FileOptions] {
    const { readOnly, share } = requireOpenOptions(options);
    requireFileName(name);
    return [this.#inside(join(this.path, name)), { readOnly: readOnly || this.readOnly, share }];
  }

  /** What opens a file anywhere. @internal */
  openingOutside(path: string, options: FolderOpenOptions): [path: string, options: FileOptions] {
    const { readOnly, share } = requireOpenOptions(options);
    requirePath(path);
    if (!isAbsolute(path)) throw new RangeError(`path: expected an absolute path, got ${quote(path)}`);
    return [path, { readOnly: readOnly || this.readOnly, share }];
  }

  /** What makes a file. @internal */
  creating(name: string): [path: string, options: FileOptions] {
    const [path] = this.#changing(name) as [string];
    return [path, { create: "new" }];
  }

  /** The paths of what is to be changed. */
  #changing(...names: readonly string[]): string[] {
    requireChangeable(this, ...names);
    return names.map((name) => join(this.path, name));
  }

  /** Where a path in the folder leads. @throws DiskError PERMISSION where that is out of it */
  #inside(path: string): string {
    if (!isLink(path)) return path;
    const target = realTarget(path);
    const root = fs.realpathSync(this.path);
    if (target.startsWith(root.endsWith(sep) ? root : root + sep)) return target;
    const message = `${path} is a symbolic link that leads out of the folder, to ${target}: put the file itself in its place`;
    throw new DiskError("PERMISSION", message, { path, target });
  }

  /** Does something to names while nobody else has the files open that have them. */
  #holding([first, ...others]: readonly string[], act: () => void, doing: string): void {
    const held: FileStorageSync[] = [];
    const release = () => {
      for (const file of held.splice(0)) file.close();
    };
    try {
      if (fs.lstatSync(first, { throwIfNoEntry: false }) === undefined) throw notFound(first);
      for (const path of new Set([first, ...others])) {
        if (!isLink(path) && fs.existsSync(path)) held.push(FileStorageSync.open(path));
      }
      if (process.platform === "win32") release(); // there what is open keeps its name
      act();
    } catch (error) {
      throw storageError(doing, error, { path: first });
    } finally {
      release();
    }
  }

  #isFile(entry: fs.Dirent): boolean {
    if (!entry.isSymbolicLink()) return entry.isFile();
    try {
      return fs.statSync(join(this.path, entry.name)).isFile();
    } catch {
      return false; // it leads nowhere
    }
  }

  #telling<T>(doing: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw storageError(`${doing} ${this.path}`, error, { path: this.path });
    }
  }
}

/** The asynchronous folder: its files answer with promises. */
export class FileFolder implements Folder {
  readonly #names: FileFolderSync;

  private constructor(names: FileFolderSync) {
    this.#names = names;
  }

  /** @throws DiskError as `FileFolderSync.open` */
  static async open(path: string, options: FolderOptions = {}): Promise<FileFolder> {
    return new FileFolder(FileFolderSync.open(path, options));
  }

  get path(): string {
    return this.#names.path;
  }

  get readOnly(): boolean {
    return this.#names.readOnly;
  }

  async list(): Promise<string[]> {
    return this.#names.list();
  }

  async open(name: string, options: FolderOpenOptions = {}): Promise<FileStorage> {
    return FileStorage.open(...this.#names.opening(name, options));
  }

  async openOutside(path: string, options: FolderOpenOptions = {}): Promise<FileStorage> {
    return FileStorage.open(...this.#names.openingOutside(path, options));
  }

  async create(name: string): Promise<FileStorage> {
    return FileStorage.open(...this.#names.creating(name));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#names.rename(from, to);
  }

  async remove(name: string): Promise<void> {
    this.#names.remove(name);
  }

  sync(): Promise<void> {
    return syncDirectoryLater(this.path);
  }
}

const isLink = (path: string): boolean => fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

function requireDirectory(path: string): void {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw notFound(path, error);
    throw storageError(`opening ${path}`, error, { path });
  }
  if (!stat.isDirectory()) throw new DiskError("UNSUPPORTED", `${path} is no folder: name the folder`, { path });
}

/** Durably, its name included. */
function makeDirectory(path: string): void {
  try {
    fs.mkdirSync(path);
    syncDirectory(dirname(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw exists(path, error);
    throw storageError(`making ${path}`, error, { path });
  }
}
