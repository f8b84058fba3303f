/**
 * What a file is: a Parallels image, a raw disk, or - refused by name - something that is no disk's bytes. Its first
 * and last bytes decide, unless an option does; and a name that promises an image is held against its content.
 */
import { readdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { type Recognised, recogniseName, recogniseStorage, type Storage } from "../index.js";
import { Failure } from "./failure.js";

export type ImageKind = "parallels" | "raw";

/** What can be made: a bundle is a folder of images. */
export type OutputKind = ImageKind | "bundle";

/** What a file is. @param option the one that takes its bytes as they are @throws Failure for what is neither kind */
export async function kindOf(path: string, storage: Storage, option: string): Promise<ImageKind> {
  const kind = requireDisk(path, await recogniseStorage(storage), option);
  if (kind === "raw" && kindByName(path) === "parallels") throw await notAsNamed(path, storage, option);
  return kind;
}

/** Refuses by name what is surely no Parallels image; about the rest opening it says more. @throws Failure */
export async function requireImage(path: string, storage: Storage): Promise<void> {
  requireDisk(path, await recogniseStorage(storage));
  if (kindByName(path) === "parallels" && (await storage.size()) === 0) throw await notAsNamed(path, storage);
}

/** The kind of what holds such bytes. @throws Failure for a format of others */
export function requireDisk(name: string, found: Recognised, option?: string): ImageKind {
  if (found.kind === "foreign") throw new Failure(`${name} is ${found.name}: ${found.advice}${asIs(option)}`);
  return found.kind;
}

/** What a name asks for: Parallels Desktop's `NAME.hdd` is a bundle. */
export function outputKindByName(path: string): OutputKind | undefined {
  return /\.hdd[/\\]*$/i.test(path) ? "bundle" : kindByName(path);
}

/** The kind that a name promises. */
export function kindByName(path: string): ImageKind | undefined {
  const promised = recogniseName(path)?.kind;
  return promised === "foreign" ? undefined : promised;
}

async function notAsNamed(path: string, storage: Storage, option?: string): Promise<Failure> {
  if ((await storage.size()) > 0)
    return new Failure(
      `${path} is named like a Parallels image, but does not begin like one: restore it if it is damaged; if it is a raw disk or an ISO image, say so with ${option} raw`,
    );
  const images = imagesBeside(path);
  const shown = images.slice(0, 3).join(", ") + (images.length > 3 ? ", ..." : "");
  const advice = images.length > 0 ? `name the image beside it (${shown})` : "restore it from a backup";
  return new Failure(`${path} is empty, as the file that only names a bundle is: ${advice}${asIs(option)}`);
}

function imagesBeside(path: string): string[] {
  try {
    return readdirSync(dirname(resolve(path))).filter((name) => /\.hds$/i.test(name) && name !== basename(path));
  } catch {
    return []; // the folder may not be read
  }
}

function asIs(option: string | undefined): string {
  return option === undefined ? "" : `, or take its bytes as they are with ${option} raw`;
}
