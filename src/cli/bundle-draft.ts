/**
 * New bundles: folders of another name that take theirs once all in them is complete and durable. One that exists gives
 * way only with `force`, and only if nobody has an image of it open.
 */
import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { FileFolder } from "../node.js";
import { bundleAt } from "./bundle-path.js";
import { exists } from "./draft.js";
import { about, Failure } from "./failure.js";
import { keep, removeAtExit } from "./leftovers.js";
import { closing, openStorage } from "./open-files.js";

export class BundleDraft {
  /** Where it is made. */
  readonly path: string;
  readonly #target: string;
  readonly #force: boolean;

  private constructor(path: string, target: string, force: boolean) {
    this.path = path;
    this.#target = target;
    this.#force = force;
  }

  /** Begins a bundle whose folder is to be `target`. @throws Failure; DiskError */
  static async begin(target: string, force = false): Promise<BundleDraft> {
    await requireFreeBundle(target, force);
    const whole = resolve(target); // no slash at its end
    const path = `${whole}.part-${process.pid}`;
    if (!fs.existsSync(dirname(whole))) throw new Failure(`${dirname(whole)} does not exist: make the folder first`);
    removeAtExit(path);
    await about(target, () => FileFolder.open(path, { create: "new" }));
    return new BundleDraft(path, whole, force);
  }

  /** Gives the complete folder its name, durably. */
  async publish(): Promise<void> {
    const aside = `${this.#target}.old-${process.pid}`;
    const old = fs.existsSync(this.#target);
    // Somebody may have made, or opened, the target meanwhile.
    if (old) await requireFreeBundle(this.#target, this.#force);
    if (old) fs.renameSync(this.#target, aside);
    try {
      fs.renameSync(this.path, this.#target);
    } catch (error) {
      if (old) fs.renameSync(aside, this.#target);
      throw error;
    }
    keep(this.path);
    await (await FileFolder.open(dirname(this.#target))).sync();
    fs.rmSync(aside, { recursive: true, force: true });
  }

  /** Removes it. */
  discard(): void {
    fs.rmSync(this.path, { recursive: true, force: true });
    keep(this.path);
  }
}

/** Looks whether a bundle may be made at `target`, over what is there with `force`. @throws Failure; DiskError IN_USE */
export async function requireFreeBundle(target: string, force?: boolean): Promise<void> {
  const existing = fs.statSync(target, { throwIfNoEntry: false });
  if (existing === undefined) return;
  if (existing.isDirectory() && bundleAt(target) === undefined)
    throw new Failure(`${target} is a directory, and no bundle: choose another name`);
  if (!force) throw exists(target);
  for (const file of existing.isDirectory() ? filesIn(target) : [target])
    await closing(await openStorage(file), () => {});
}

function filesIn(folder: string): string[] {
  return fs
    .readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => /\.hds$/i.test(path) && fs.statSync(path, { throwIfNoEntry: false })?.isFile());
}
