/** An open file with its lock, and what both faces do with it in the same way: opening, blocks, and what lies beside it. */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { type OptionNames, requireCreate, requireFlags, requireOptions } from "../caller-options.js";
import { DiskError, storageError } from "../errors.js";
import { quote } from "../printable.js";
import { saveBeside } from "./beside.js";
import { namesIn, syncDirectory } from "./directory.js";
import { type FileLock, lockFile, noLock } from "./file-lock.js";
import type { Native } from "./libc.js";
import { native } from "./native.js";
import type { DataRange, LockKind } from "./storage.js";

/** How to open a file. */
export interface FileOptions {
  /** Opens for reading only. Default: false. */
  readOnly?: boolean;
  /** "new": makes the file, which must not exist yet; "replace": makes it or empties it. Default: it must exist. */
  create?: "new" | "replace";
  /** Takes no lock: nobody else knows of the file, as it is only just being made under a name of its own. Default: false. */
  private?: boolean;
  /** Takes no lock: reads what others may be writing, so what is read may not fit together. Only with `readOnly`. Default: false. */
  share?: boolean;
}

const FILE_OPTIONS: OptionNames<FileOptions> = { readOnly: true, create: true, private: true, share: true };

export class FileHandle {
  readonly readOnly: boolean;
  #path: string;
  readonly #lock: FileLock;
  #locked = true;
  #fd: number;

  protected constructor(path: string, options: FileOptions) {
    requireFileOptions(path, options);
    this.#path = path;
    this.readOnly = options.readOnly ?? false;
    this.#fd = openFile(path, options);
    try {
      this.#lock = lockOf(path, this.#fd, options);
      // Emptied only now: before the lock it may be somebody's disk.
      if (options.create === "replace") fs.ftruncateSync(this.#fd, 0);
      if (options.create !== undefined) syncDirectory(dirname(path));
    } catch (error) {
      fs.closeSync(this.#fd);
      if (options.create === "new") fs.rmSync(path, { force: true });
      throw storageError(`opening ${path}`, error, { path });
    }
  }

  /** Where it lies, by the name it was opened by, or was given since. */
  get path(): string {
    return this.#path;
  }

  /** How other processes are kept out. */
  get lock(): LockKind {
    return this.#lock.kind;
  }

  /** Why it is not the system's lock. */
  get lockFallback(): string | undefined {
    return this.#lock.reason;
  }

  /** Gives the file another name, over whatever has it, known as `path` from then on. Its lock is there before it. @internal */
  rename(target: string, path = target): void {
    this.#lock.moveTo(target);
    try {
      fs.renameSync(this.#path, target);
    } catch (error) {
      this.#lock.moveTo(this.#path);
      throw error;
    }
    this.#path = path;
  }

  /** Takes blocks for the range, so that writing there cannot run out of space. @throws DiskError UNSUPPORTED */
  allocate(offset: number, length: number): void {
    required("allocating blocks").allocate(this.fd, offset, length);
  }

  /** Gives the range's blocks back to the file system. @throws DiskError UNSUPPORTED */
  punch(offset: number, length: number): void {
    required("punching holes").punch(this.fd, offset, length);
  }

  /** The next run of bytes that is not a hole; without native calls that is all there is. */
  nextData(offset: number): DataRange | undefined {
    const calls = native();
    if (typeof calls !== "string") return calls.nextData(this.fd, offset);
    const end = fs.fstatSync(this.fd).size;
    return offset < end ? { start: offset, end } : undefined;
  }

  /** Saves bytes in a new file beside this one, durably; answers its path. */
  saveBeside(suffix: string, bytes: Uint8Array): string {
    return saveBeside(this.path, suffix, bytes);
  }

  protected get fd(): number {
    if (this.#fd < 0) throw new DiskError("CLOSED", `${this.path} is closed: open it again`, { path: this.path });
    return this.#fd;
  }

  /** Gives the descriptor away to be closed, and ends the lock. */
  protected release(): number {
    const fd = this.takeDescriptor();
    this.unlock();
    return fd;
  }

  /** Gives the descriptor away: further requests find the file closed. */
  protected takeDescriptor(): number {
    const { fd } = this;
    this.#fd = -1;
    return fd;
  }

  /** Ends the lock. At the end of the process nothing else waits for anything. @internal */
  unlock(): void {
    if (!this.#locked) return;
    this.#locked = false;
    this.#lock.release();
  }
}

function lockOf(path: string, fd: number, { readOnly, share, private: unlocked }: FileOptions): FileLock {
  if (share) return noLock("opened with share");
  if (unlocked) return noLock("known to nobody else");
  return lockFile(path, fd, readOnly ? "read" : "write");
}

/** @throws TypeError */
export function requirePath(path: unknown): void {
  if (typeof path !== "string" || path === "") throw new TypeError(`path: expected a file's path, got ${quote(path)}`);
}

/** @throws TypeError, RangeError */
function requireFileOptions(path: string, options: FileOptions): void {
  requirePath(path);
  requireOptions(options, FILE_OPTIONS);
  const { readOnly, private: unlocked, share, create } = options;
  requireFlags({ readOnly, private: unlocked, share });
  requireCreate(create);
  if (share && !readOnly) throw new TypeError("share: expected readOnly as well, as two writers destroy an image");
}

function required(what: string): Native {
  const calls = native();
  if (typeof calls === "string") throw new DiskError("UNSUPPORTED", `${what} is not possible: ${calls}`);
  return calls;
}

/** Opens a regular file; a directory is refused by name, and a FIFO would hang. */
function openFile(path: string, { readOnly = false, create }: FileOptions): number {
  const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NONBLOCK } = fs.constants;
  const creating = create === "new" ? O_CREAT | O_EXCL : create === "replace" ? O_CREAT : 0;
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
  if (!stat.isFile())
    throw new DiskError("UNSUPPORTED", `${path} is not a regular file: copy its content into one`, { path });
}

function openError(path: string, cause: unknown): DiskError {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "EISDIR":
      return directoryError(path, cause);
    case "ENOENT":
      return new DiskError("NOT_FOUND", `${path} does not exist: check the path`, { path }, cause);
    case "EEXIST":
      return existsError(path, cause);
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

export function existsError(path: string, cause: unknown): DiskError {
  const message = `${path} exists already: choose another name, or say that it may be replaced`;
  return new DiskError("EXISTS", message, { path }, cause);
}

function directoryError(path: string, cause?: unknown): DiskError {
  const images = namesIn(path).filter((name) => /\.hds$/i.test(name));
  const hint = images.length > 0 ? `open the image inside: ${images.join(", ")}` : "name a file";
  return new DiskError("IS_DIRECTORY", `${path} is a directory: ${hint}`, { path, images }, cause);
}
