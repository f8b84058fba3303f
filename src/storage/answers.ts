/**
 * What storages answer, checked here, once, where it enters: a storage of somebody's own, a browser, a wrapper may
 * answer anything, and a number that is believed becomes data that is not there. Nothing counts as done on a bad answer.
 */
import { counted, isCount } from "../count.js";
import { DiskError, reasonOf } from "../errors.js";
import { kindOf, quote, shownName } from "../printable.js";
import { isThenable } from "../promises.js";
import { type Folder, isFileName } from "./folder.js";
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
  requireLabels("storage", storage);
  requireFunctions("storage", storage, verbs);
}

function requireLabels(what: string, { path, readOnly }: { path?: unknown; readOnly?: unknown }): void {
  if (path !== undefined && path !== null && typeof path !== "string")
    throw new TypeError(`${what}.path: expected a string, got ${quote(path)}`);
  if (readOnly !== undefined && readOnly !== null && typeof readOnly !== "boolean")
    throw new TypeError(`${what}.readOnly: expected true or false, got ${quote(readOnly)}`);
}

function requireFunctions<What extends object>(
  what: string,
  thing: What,
  verbs: readonly (keyof What & string)[],
): void {
  for (const verb of verbs) {
    if (typeof thing[verb] === "function") continue;
    throw new TypeError(`${what}.${verb}: expected a function, got ${quote(thing[verb])}`);
  }
}

/** What every folder has; one that is only read needs no more. */
const FOLDER_READING = ["list", "open"] as const;
const FOLDER_WRITING = ["create", "rename", "remove", "sync"] as const;

/** Checks that something is a folder, as far as can be seen. @throws TypeError that names what is missing */
export function requireFolder(folder: Folder): void {
  if (typeof folder !== "object" || folder === null)
    throw new TypeError(`folder: expected an object with list, open, create..., got ${quote(folder)}`);
  if (isThenable(folder)) throw new TypeError("folder: expected a folder, got a promise: await it first");
  requireLabels("folder", folder);
  requireFunctions("folder", folder, folder.readOnly ? FOLDER_READING : [...FOLDER_READING, ...FOLDER_WRITING]);
}

/** The names that `list` tells; what cannot be opened by its name is not there. @throws DiskError BAD_STORAGE */
export function namesAnswered(folder: Answering, answer: unknown): string[] {
  if (Array.isArray(answer) && answer.every((name) => typeof name === "string")) return answer.filter(isFileName);
  throw badAnswer(folder, "list", answer, "an array of the names of its files");
}

/** The storage that `open` or `create` gives. @throws DiskError BAD_STORAGE */
export function storageAnswered(
  folder: Answering,
  verb: "open" | "create",
  answer: unknown,
  readOnly: boolean,
): Storage {
  try {
    const { readOnly: reads } = answer as Partial<Storage>;
    requireVerbs(answer as Storage, readOnly || reads ? READING : [...READING, ...WRITING]);
    return answer as Storage;
  } catch (error) {
    throw badAnswer(folder, verb, answer, `a storage (${reasonOf(error)})`);
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
