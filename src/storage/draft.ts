/**
 * Files under construction. A new file has its name from the start. Where one is to be replaced, a draft lies beside it
 * under a name of its own and takes its name only when it is complete: a half-made file never looks like a finished one,
 * and the old one stays until then, locked, so that nobody opens what is about to lose its name.
 */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { DiskError, storageError } from "../errors.js";
import { realTarget, syncDirectory } from "./directory.js";
import { FileStorageSync } from "./file.js";
import { existsError, type FileHandle, requirePath } from "./file-handle.js";

export class Draft {
  /** Where it is written. */
  readonly path: string;
  readonly #name: string;
  /** What it is to be: where the name leads through symbolic links. */
  readonly #target: string;
  #old: FileStorageSync | undefined;

  private constructor(path: string, name: string, target: string, old: FileStorageSync | undefined) {
    this.path = path;
    this.#name = name;
    this.#target = target;
    this.#old = old;
  }

  /** Begins a file that is to have this name, or the one that leads to where it replaces. @throws DiskError EXISTS, IN_USE, IS_DIRECTORY, UNSUPPORTED, PERMISSION, NOT_FOUND, IO */
  static begin(name: string, replace: boolean): Draft {
    requirePath(name);
    if (!replace) return new Draft(makeNew(name), name, name, undefined);
    const target = realTarget(name);
    const old = openOld(target);
    try {
      return new Draft(makeDraft(name, target), name, target, old);
    } catch (error) {
      old?.close();
      throw error;
    }
  }

  /** Gives the complete file its name, durably. `file` is the draft itself where it stays open: its lock goes with it. */
  publish(file?: FileHandle): void {
    if (this.path !== this.#target) this.#replace(file);
    syncDirectory(dirname(this.#target));
  }

  /** Removes it. What was to be replaced is as it was. */
  discard(): void {
    fs.rmSync(this.path, { force: true });
    this.#release();
  }

  #replace(file?: FileHandle): void {
    this.#old ??= openOld(this.#target); // somebody may have made it meanwhile
    try {
      if (process.platform === "win32") this.#release(); // there what is open keeps its name
      if (file) file.rename(this.#target, this.#name);
      else fs.renameSync(this.path, this.#target);
    } catch (error) {
      throw replaceError(this.#target, error);
    } finally {
      this.#release();
    }
  }

  #release(): void {
    this.#old?.close();
    this.#old = undefined;
  }
}

/** What is to be replaced, in our hands; nothing where there is nothing. */
function openOld(path: string): FileStorageSync | undefined {
  return fs.existsSync(path) ? FileStorageSync.open(path) : undefined;
}

function makeNew(path: string): string {
  try {
    fs.closeSync(fs.openSync(path, "wx"));
    return path;
  } catch (error) {
    throw makeError(path, error);
  }
}

/** Of 255 bytes, which a name may have nearly everywhere, some are ours. */
const LONG_NAME = 200;

/** Makes an empty file with the rights of the one that it is to replace. */
function makeDraft(name: string, target: string): string {
  const existing = fs.statSync(target, { throwIfNoEntry: false });
  const stem = Buffer.byteLength(basename(target)) > LONG_NAME ? "parablock" : basename(target);
  for (let number = 0; ; number++) {
    const path = join(dirname(target), `${stem}.part-${process.pid}${number === 0 ? "" : `-${number}`}`);
    try {
      const fd = fs.openSync(path, "wx", 0o666);
      if (existing) takeRights(fd, existing);
      fs.closeSync(fd);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw makeError(name, error);
    }
  }
}

/** As far as we may: only root gives files away. */
function takeRights(fd: number, { mode, uid, gid }: fs.Stats): void {
  for (const take of [() => fs.fchownSync(fd, uid, gid), () => fs.fchmodSync(fd, mode & 0o777)]) {
    try {
      take();
    } catch {}
  }
}

function makeError(path: string, cause: unknown): DiskError {
  const { code } = cause as NodeJS.ErrnoException;
  const folder = dirname(path);
  if (code === "EEXIST") return existsError(path, cause);
  if (code === "ENOENT")
    return new DiskError("NOT_FOUND", `${folder} does not exist: make the folder first`, { path }, cause);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return new DiskError(
      "PERMISSION",
      `${path} cannot be made: writing in ${folder} is not permitted`,
      { path },
      cause,
    );
  return storageError(`making ${path}`, cause, { path });
}

function replaceError(path: string, cause: unknown): DiskError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM" || code === "EBUSY")
    return new DiskError(
      "PERMISSION",
      `${path} could not be replaced: another program may have it open; close it there, or choose another name`,
      { path },
      cause,
    );
  return storageError(`naming ${path}`, cause, { path });
}
