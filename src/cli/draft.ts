/**
 * What commands make: drafts that a file that exists gives way to only with `force`, and only once they are complete.
 * Whatever ends the process - an error, Ctrl-C, a closed pipe - drafts that are left are removed.
 */
import * as fs from "node:fs";
import { Draft as FileDraft } from "../node.js";
import { bundleAt } from "./bundle-path.js";
import { Failure, usageFailure } from "./failure.js";
import { keep, removeAtExit, watchEnd } from "./leftovers.js";

export class Draft {
  readonly #draft: FileDraft;
  readonly #target: string;
  readonly #force: boolean;

  private constructor(draft: FileDraft, target: string, force: boolean) {
    this.#draft = draft;
    this.#target = target;
    this.#force = force;
  }

  /** Begins a file that is to be `target`. @throws Failure if it exists and `force` is not set; DiskError if it cannot be made, or is in use */
  static begin(target: string, force = false): Draft {
    requireFree(target, force);
    watchEnd();
    const draft = FileDraft.begin(target, true);
    removeAtExit(draft.path);
    return new Draft(draft, target, force);
  }

  /** Where it is written. */
  get path(): string {
    return this.#draft.path;
  }

  /** Gives the complete file its name. */
  publish(): void {
    // Somebody may have made the target meanwhile.
    if (!this.#force && fs.existsSync(this.#target)) throw exists(this.#target);
    this.#draft.publish();
    keep(this.path);
  }

  /** Removes it. */
  discard(): void {
    this.#draft.discard();
    keep(this.path);
  }
}

/** Looks whether a file may be made at `target`, over what is there already with `force`. @throws Failure */
export function requireFree(target: string, force?: boolean): void {
  const existing = fs.statSync(target, { throwIfNoEntry: false });
  if (existing === undefined) return;
  if (existing.isDirectory()) throw new Failure(`${target} is a directory: name a file in it`);
  if (!existing.isFile())
    throw new Failure(`${target} is not a regular file: name another, or "-" for standard output`);
  if (!force) throw exists(target);
}

/** Refuses a target that is one of the files that are read, by whatever name. */
export function requireOther(target: string, inputs: readonly (string | undefined)[]): void {
  const [ours, ...theirs] = [target, ...inputs].map((path) =>
    path === undefined ? undefined : fs.statSync(bundleAt(path) ?? path, { throwIfNoEntry: false, bigint: true }),
  );
  const same = theirs.findIndex((stat) => ours !== undefined && stat?.ino === ours.ino && stat.dev === ours.dev);
  if (same >= 0)
    throw usageFailure(`${target} would overwrite ${inputs[same]}, which is read: choose another name for the output`);
}

export function exists(target: string): Failure {
  return new Failure(`${target} exists already: choose another name, or overwrite it with --force`);
}
