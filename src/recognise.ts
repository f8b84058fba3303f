/** What files and streams hold that somebody takes for a disk: asked before they are opened as one. */
import { takeBuffer } from "./buffers.js";
import { FOREIGN_HEAD, FOREIGN_TAIL, type Foreign, recognise as foreignOf, promisedBy } from "./format/foreign.js";
import { type Format, probe } from "./format/header.js";
import { readUpTo, sizeOf } from "./medium/transfer.js";
import type { Operation } from "./operation.js";
import { quote } from "./printable.js";
import { runAsync } from "./run.js";
import { READING, requireVerbs } from "./storage/answers.js";
import type { Storage } from "./storage/storage.js";

/**
 * A Parallels image, with its version where its bytes tell it; surely no disk's bytes (what, with its article, and how to
 * get at a disk in it); or anything else, as a raw disk may hold any bytes.
 */
export type Recognised =
  | { kind: "parallels"; format?: Format }
  | { kind: "foreign"; name: string; advice: string }
  | { kind: "raw" };

/** How many bytes `recognise` looks at: the first and the last ones of a file. */
export const RECOGNISED = { head: FOREIGN_HEAD, tail: FOREIGN_TAIL } as const;

/**
 * What a file with these first and last bytes is.
 * @param head `RECOGNISED.head` of them, where there are as many
 * @param tail `RECOGNISED.tail` of them, likewise; empty where they are not known
 * @throws TypeError
 */
export function recognise(head: Uint8Array, tail: Uint8Array = new Uint8Array(0)): Recognised {
  const format = probe(takeBuffer(head));
  if (format !== undefined) return { kind: "parallels", format };
  const foreign = foreignOf(head, takeBuffer(tail));
  return foreign === undefined ? { kind: "raw" } : recognisedAs(foreign);
}

/** What a file's name promises, or undefined where it promises nothing. @throws TypeError */
export function recogniseName(name: string): Recognised | undefined {
  if (typeof name !== "string") throw new TypeError(`name: expected a string, got ${quote(name)}`);
  if (/\.(hds|hdd)$/i.test(name)) return { kind: "parallels" };
  if (/\.(raw|img)$/i.test(name)) return { kind: "raw" };
  const foreign = promisedBy(name);
  return foreign && recognisedAs(foreign);
}

const recognisedAs = ({ name, advice }: Foreign): Recognised => ({ kind: "foreign", name, advice });

/** What a storage holds. @throws TypeError; DiskError IO, BAD_STORAGE */
export async function recogniseStorage(storage: Storage): Promise<Recognised> {
  requireVerbs(storage, READING);
  return runAsync(recogniseEnds(storage));
}

function* recogniseEnds(storage: Storage): Operation<Recognised> {
  const size = yield* sizeOf(storage);
  const head = yield* readSome(storage, RECOGNISED.head, 0);
  return recognise(head, yield* readSome(storage, RECOGNISED.tail, Math.max(0, size - RECOGNISED.tail)));
}

function* readSome(storage: Storage, length: number, offset: number): Operation<Uint8Array> {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, yield* readUpTo(storage, bytes, offset));
}
