/**
 * Files under construction. A draft lies beside its target under a name of its own and takes the target's name only
 * when it is complete, so a half-written file never looks like a finished one, and a file that is to be replaced
 * stays until then. Whatever ends the process - an error, Ctrl-C, a closed pipe - drafts that are left are removed.
 */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { FileStorageSync } from "../storage/file.js";
import { Failure, usageFailure } from "./failure.js";
import { keep, removeAtExit } from "./leftovers.js";

export class Draft {
  /** Where it is written. */
  readonly path: string;
  readonly #target: string;
  readonly #force: boolean;

  private constructor(path: string, target: string, force: boolean) {
    this.path = path;
    this.#target = target;
    this.#force = force;
  }

  /** Begins a file that is to be `target`. @throws Failure if it exists and `force` is not set, or cannot be made */
  static begin(target: string, force = false): Draft {
    const existing = requireFree(target, force);
    const real = existing === undefined ? target : fs.realpathSync(target);
    const path = join(dirname(real), `${basename(real)}.part-${process.pid}`);
    removeAtExit(path);
    makeEmpty(path, target, existing?.mode);
    return new Draft(path, real, force);
  }

  /** Gives the complete file its name. */
  publish(): void {
    // Somebody may have made the target meanwhile.
    if (!this.#force && fs.existsSync(this.#target)) throw exists(this.#target);
    fs.renameSync(this.path, this.#target);
    keep(this.path);
  }

  /** Removes it. */
  discard(): void {
    fs.rmSync(this.path, { force: true });
    keep(this.path);
  }
}

/** Looks whether a file may be made at `target`, over what is there already with `force`; answers what that is. */
export function requireFree(target: string, force?: boolean): fs.Stats | undefined {
  const existing = fs.statSync(target, { throwIfNoEntry: false });
  if (existing === undefined) return undefined;
  if (existing.isDirectory()) throw new Failure(`${target} is a directory: name a file in it`);
  if (!existing.isFile())
    throw new Failure(`${target} is not a regular file: name another, or "-" for standard output`);
  if (!force) throw exists(target);
  // Somebody who has it open would go on writing into a file that has no name any more.
  FileStorageSync.open(target).close();
  return existing;
}

/** Refuses a target that is one of the files that are read, by whatever name. */
export function requireOther(target: string, inputs: readonly (string | undefined)[]): void {
  const [ours, ...theirs] = [target, ...inputs].map(
    (path) => (path === undefined ? undefined : fs.statSync(path, { throwIfNoEntry: false, bigint: true })), // ids of NTFS pass 2^53
  );
  const same = theirs.findIndex((stat) => ours !== undefined && stat?.ino === ours.ino && stat.dev === ours.dev);
  if (same >= 0)
    throw usageFailure(`${target} would overwrite ${inputs[same]}, which is read: choose another name for the output`);
}

function exists(target: string): Failure {
  return new Failure(`${target} exists already: choose another name, or overwrite it with --force`);
}

function makeEmpty(path: string, target: string, mode = 0o666): void {
  try {
    fs.closeSync(fs.openSync(path, "wx", mode & 0o777));
  } catch (error) {
    keep(path);
    const { code, message } = error as NodeJS.ErrnoException;
    const folder = dirname(target);
    if (code === "ENOENT") throw new Failure(`${folder} does not exist: make the folder first`, 1, error);
    if (code === "EACCES" || code === "EPERM" || code === "EROFS")
      throw new Failure(`${target} cannot be made: writing in ${folder} is not permitted`, 1, error);
    throw new Failure(`${target} cannot be made: ${message}`, 1, error);
  }
}
