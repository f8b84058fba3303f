/**
 * What storages answer, checked here, once, where it enters: a storage of somebody's own, a browser, a wrapper may
 * answer anything, and a number that is believed becomes data that is not there. Nothing counts as done on a bad answer.
 */
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { kindOf, quote, shownName } from "../printable.js";
import { isThenable } from "../promises.js";
import type { DataRange, Storage } from "./storage.js";

/** What can be asked, and be named where its answer is wrong. */
export interface Answering {
  readonly path?: string | undefined;
}

/** What every storage has; one that is opened for reading only needs no more. */
export const READING = ["read", "size", "close"] as const;
export const WRITING = ["write", "truncate", "flush"] as const;

/** Checks that something is a storage, as far as can be seen. @throws TypeError that names what is missing */
export function requireVerbs(storage: Storage, verbs: readonly (keyof Storage)[]): void {
  if (typeof storage !== "object" || storage === null)
    throw new TypeError(`storage: expected an object with read, write, size..., got ${quote(storage)}`);
  if (isThenable(storage)) throw new TypeError("storage: expected a storage, got a promise: await it first");
  const { path, readOnly } = storage as { path?: unknown; readOnly?: unknown };
  if (path !== undefined && path !== null && typeof path !== "string")
    throw new TypeError(`storage.path: expected a string, got ${quote(path)}`);
  if (readOnly !== undefined && readOnly !== null && typeof readOnly !== "boolean")
    throw new TypeError(`storage.readOnly: expected true or false, got ${quote(readOnly)}`);
  for (const verb of verbs) {
    if (typeof storage[verb] === "function") continue;
    throw new TypeError(`storage.${verb}: expected a function, got ${quote(storage[verb])}`);
  }
}

/** How many bytes a `read` or `write` moved. @throws DiskError BAD_STORAGE */
export function movedBytes(storage: Answering, verb: "read" | "write", answer: unknown, asked: number): number {
  if (isCount(answer) && answer <= asked) return answer;
  throw badAnswer(storage, verb, answer, `how many it moved of ${counted(asked, "byte")}`);
}

/** The length that `size` tells. @throws DiskError BAD_STORAGE */
export function sizeAnswered(storage: Answering, answer: unknown): number {
  if (isCount(answer)) return answer;
  throw badAnswer(storage, "size", answer, "its length in bytes");
}

/** The run that `nextData` tells. @throws DiskError BAD_STORAGE */
export function runAnswered(storage: Answering, answer: unknown, offset: number): DataRange | undefined {
  if (answer === undefined) return undefined;
  const { start, end } = (answer ?? {}) as Partial<DataRange>;
  if (isCount(start) && isCount(end) && start < end && end > offset) return { start, end };
  const got = typeof answer === "object" && answer !== null ? `${quote(start)} to ${quote(end)}` : quote(answer);
  throw badAnswer(storage, "nextData", answer, `undefined, or a run of bytes that ends after ${offset}`, got);
}

/** The name that `saveBeside` tells. @throws DiskError BAD_STORAGE */
export function nameAnswered(storage: Answering, answer: unknown): string {
  if (typeof answer === "string") return answer;
  throw badAnswer(storage, "saveBeside", answer, "the name under which it saved the bytes");
}

/** A storage by its path, else by its class. */
export function storageName(storage: Answering): string {
  const { path } = storage;
  return typeof path === "string" && path !== "" ? shownName(path) : kindOf(storage);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function badAnswer(
  storage: Answering,
  verb: string,
  answer: unknown,
  expected: string,
  got = quote(answer),
): DiskError {
  const name = storageName(storage);
  return new DiskError(
    "BAD_STORAGE",
    `${name} is no storage to rely on: its ${verb} must answer ${expected}, it answered ${got}; nothing of that request counts as done`,
    { storage: name, verb, answer: got },
  );
}
