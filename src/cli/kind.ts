/**
 * What a file is: a Parallels image, a raw disk, or - refused by name - something that is no disk's bytes. Its first
 * and last bytes decide, unless an option does; and a name that promises an image is held against its content.
 */
import { basename, dirname, resolve } from "node:path";
import { FOREIGN_HEAD, FOREIGN_TAIL, recognise } from "../format/foreign.js";
import { probe } from "../format/header.js";
import { readUpTo } from "../medium/transfer.js";
import { runAsync } from "../run.js";
import { namesIn } from "../storage/directory.js";
import type { FileStorage } from "../storage/file.js";
import { Failure } from "./failure.js";

export type ImageKind = "parallels" | "raw";

/** The first and last bytes of a file or a stream: all of it where it is short. */
export interface Ends {
  head: Uint8Array;
  tail: Uint8Array;
}

/** What a file is. @param option the one that takes its bytes as they are @throws Failure for what is neither kind */
export async function kindOf(path: string, storage: FileStorage, option: string): Promise<ImageKind> {
  const ends = await endsOf(storage);
  const kind = kindByContent(path, ends, option);
  if (kind === "raw" && kindByName(path) === "parallels") throw notAsNamed(path, ends, option);
  return kind;
}

/** Refuses by name what is surely no Parallels image; about the rest opening it says more. @throws Failure */
export async function requireImage(path: string, storage: FileStorage): Promise<void> {
  const ends = await endsOf(storage);
  kindByContent(path, ends);
  if (ends.head.length === 0 && kindByName(path) === "parallels") throw notAsNamed(path, ends);
}

/** @param name whose bytes they are @throws Failure for a format of others */
export function kindByContent(name: string, { head, tail }: Ends, option?: string): ImageKind {
  if (probe(head) !== undefined) return "parallels";
  const foreign = recognise(head, tail);
  if (foreign === undefined) return "raw";
  throw new Failure(`${name} is ${foreign.name}: ${foreign.advice}${asIs(option)}`);
}

/** The kind that a name promises. */
export function kindByName(path: string): ImageKind | undefined {
  if (/\.(hds|hdd)$/i.test(path)) return "parallels";
  return /\.(raw|img)$/i.test(path) ? "raw" : undefined;
}

async function endsOf(storage: FileStorage): Promise<Ends> {
  const read = async (length: number, offset: number) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, await runAsync(readUpTo(storage, bytes, offset)));
  };
  const size = await storage.size();
  return { head: await read(FOREIGN_HEAD, 0), tail: await read(FOREIGN_TAIL, Math.max(0, size - FOREIGN_TAIL)) };
}

function notAsNamed(path: string, { head }: Ends, option?: string): Failure {
  if (head.length > 0)
    return new Failure(
      `${path} is named like a Parallels image, but does not begin like one: restore it if it is damaged; if it is a raw disk or an ISO image, say so with ${option} raw`,
    );
  const images = namesIn(dirname(resolve(path))).filter((name) => /\.hds$/i.test(name) && name !== basename(path));
  const shown = images.slice(0, 3).join(", ") + (images.length > 3 ? ", ..." : "");
  const advice = images.length > 0 ? `name the image beside it (${shown})` : "restore it from a backup";
  return new Failure(`${path} is empty, as the file that only names a bundle is: ${advice}${asIs(option)}`);
}

function asIs(option: string | undefined): string {
  return option === undefined ? "" : `, or take its bytes as they are with ${option} raw`;
}
