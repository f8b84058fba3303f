/**
 * Files of Node, in both faces. Offsets go to the system as they are, so files beyond 2 GiB work; one call moves at
 * most 1 GiB, as the system's limit lies just below 2 GiB (a short transfer, which callers handle anyway).
 */
import * as fs from "node:fs";
import { DiskError, storageError } from "../errors.js";
import type { Storage, StorageSync } from "./storage.js";

const MAX_TRANSFER = 2 ** 30;

/** How to open a file. */
export interface FileOptions {
  /** Opens for reading only. Default: false. */
  readOnly?: boolean;
  /** "new": makes the file, which must not exist yet; "replace": makes it or empties it. Default: it must exist. */
  create?: "new" | "replace";
}

/** The synchronous file: quickest per request. Serves both faces, but blocks the event loop. */
export class FileStorageSync implements StorageSync {
  readonly path: string;
  readonly readOnly: boolean;
  #fd: number;

  private constructor(path: string, fd: number, readOnly: boolean) {
    this.path = path;
    this.readOnly = readOnly;
    this.#fd = fd;
  }

  /** @throws DiskError NOT_FOUND, EXISTS, IS_DIRECTORY, PERMISSION, IO */
  static open(path: string, options: FileOptions = {}): FileStorageSync {
    const fd = openFile(path, options);
    return new FileStorageSync(path, fd, options.readOnly ?? false);
  }

  read(buffer: Uint8Array, offset: number): number {
    return fs.readSync(this.#open(), buffer, 0, Math.min(buffer.length, MAX_TRANSFER), offset);
  }

  write(buffer: Uint8Array, offset: number): number {
    return fs.writeSync(this.#open(), buffer, 0, Math.min(buffer.length, MAX_TRANSFER), offset);
  }

  size(): number {
    return sizeOf(this.#open());
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#open(), size);
  }

  flush(): void {
    fs.fsyncSync(this.#open());
  }

  close(): void {
    const fd = this.#open();
    this.#fd = -1;
    fs.closeSync(fd);
  }

  #open(): number {
    return requireOpen(this.#fd, this.path);
  }
}

/** The asynchronous file: requests run in libuv's thread pool. Opened synchronously, which takes microseconds. */
export class FileStorage implements Storage {
  readonly path: string;
  readonly readOnly: boolean;
  #fd: number;

  private constructor(path: string, fd: number, readOnly: boolean) {
    this.path = path;
    this.readOnly = readOnly;
    this.#fd = fd;
  }

  /** @throws DiskError NOT_FOUND, EXISTS, IS_DIRECTORY, PERMISSION, IO */
  static async open(path: string, options: FileOptions = {}): Promise<FileStorage> {
    return new FileStorage(path, openFile(path, options), options.readOnly ?? false);
  }

  read(buffer: Uint8Array, offset: number): Promise<number> {
    // The callback form: FileHandle's costs some microseconds more a request.
    return new Promise((resolve, reject) => {
      fs.read(this.#open(), buffer, 0, Math.min(buffer.length, MAX_TRANSFER), offset, (error, count) =>
        error ? reject(error) : resolve(count),
      );
    });
  }

  write(buffer: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#open(), buffer, 0, Math.min(buffer.length, MAX_TRANSFER), offset, (error, count) =>
        error ? reject(error) : resolve(count),
      );
    });
  }

  async size(): Promise<number> {
    return sizeOf(this.#open());
  }

  truncate(size: number): Promise<void> {
    return this.#call((fd, done) => fs.ftruncate(fd, size, done));
  }

  flush(): Promise<void> {
    return this.#call((fd, done) => fs.fsync(fd, done));
  }

  close(): Promise<void> {
    return this.#call((fd, done) => {
      this.#fd = -1;
      fs.close(fd, done);
    });
  }

  #call(request: (fd: number, done: (error: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => request(this.#open(), (error) => (error ? reject(error) : resolve())));
  }

  #open(): number {
    return requireOpen(this.#fd, this.path);
  }
}

/** Opens a regular file or block device; a directory is refused by name, and a FIFO would hang. */
function openFile(path: string, { readOnly = false, create }: FileOptions): number {
  const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK } = fs.constants;
  const creating = create === "new" ? O_CREAT | O_EXCL : create === "replace" ? O_CREAT | O_TRUNC : 0;
  let fd: number | undefined;
  try {
    fd = fs.openSync(path, (readOnly ? O_RDONLY : O_RDWR) | creating | (O_NONBLOCK ?? 0), 0o666);
    requireKind(path, fs.fstatSync(fd));
    return fd;
  } catch (error) {
    if (fd !== undefined) fs.closeSync(fd);
    throw openError(path, error);
  }
}

function requireKind(path: string, stat: fs.Stats): void {
  if (stat.isDirectory()) throw directoryError(path);
  if (!stat.isFile() && !stat.isBlockDevice())
    throw new DiskError("UNSUPPORTED", `${path} is neither a file nor a block device`, { path });
}

function openError(path: string, cause: unknown): DiskError {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "EISDIR":
      return directoryError(path, cause);
    case "ENOENT":
      return new DiskError("NOT_FOUND", `${path} does not exist: check the path`, { path }, cause);
    case "EEXIST":
      return new DiskError(
        "EXISTS",
        `${path} exists already: choose another name, or say that it may be replaced`,
        { path },
        cause,
      );
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new DiskError(
        "PERMISSION",
        `${path} may not be opened with these rights: change its permissions, or open it for reading only`,
        { path },
        cause,
      );
    default:
      return storageError(`opening ${path}`, cause, { path });
  }
}

function directoryError(path: string, cause?: unknown): DiskError {
  const images = imagesIn(path);
  const hint = images.length > 0 ? `open the image inside: ${images.join(", ")}` : "name a file";
  return new DiskError("IS_DIRECTORY", `${path} is a directory: ${hint}`, { path, images }, cause);
}

/** The disk images in a folder, as far as it may be read. */
function imagesIn(path: string): string[] {
  try {
    return fs.readdirSync(path).filter((name) => /\.hds$/i.test(name));
  } catch {
    return [];
  }
}

/** The length of a file; a block device has none in its stat, its end is found by seeking, which Node cannot. */
function sizeOf(fd: number): number {
  return fs.fstatSync(fd).size;
}

function requireOpen(fd: number, path: string): number {
  if (fd < 0) throw new DiskError("CLOSED", `${path} is closed: open it again`, { path });
  return fd;
}
