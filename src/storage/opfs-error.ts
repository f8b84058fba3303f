/**
 * What the platform's errors mean, said for a person. Browsers differ in how they say the same: Chromium answers the
 * number of an error where it ought to throw, Firefox writes nothing and throws exceptions without a message.
 */
import { counted } from "../count.js";
import { DiskError, type DiskErrorCode, fieldOf, reasonOf, storageError } from "../errors.js";
import { shownName } from "../printable.js";

type Say = (doing: string, path: string) => string;

/** What the names of DOM exceptions mean here. */
const MEANINGS = new Map<unknown, [code: DiskErrorCode, say: Say]>([
  ["NotFoundError", ["NOT_FOUND", (_, path) => `${path} does not exist in OPFS: check the path`]],
  ["TypeMismatchError", ["IS_DIRECTORY", (_, path) => `${path} is a folder, or leads through a file: name a file`]],
  ["NoModificationAllowedError", ["IN_USE", (_, path) => inUse(path).message]],
  ["SecurityError", ["PERMISSION", denied]],
  ["NotAllowedError", ["PERMISSION", denied]],
  [
    "NotSupportedError",
    [
      "UNSUPPORTED",
      (doing, path) =>
        `${doing} ${path} failed: this browser does not open files of OPFS for writing in place (WebKitGTK, for one): use another browser`,
    ],
  ],
]);

/** What an error of the platform means, said for a person. */
export function opfsError(doing: string, file: string, cause: unknown): DiskError {
  if (cause instanceof DiskError) return cause;
  const path = shownName(file);
  const [code, say] = MEANINGS.get(fieldOf(cause, "name")) ?? [];
  if (code !== undefined) return new DiskError(code, say!(doing, path), { path: file }, cause);
  const error = storageError(`${doing} ${path}`, cause, { path: file });
  return error.code === "NO_SPACE" ? noSpace(doing, file, cause) : error;
}

/** The number that Chromium answers, as 32 bits without a sign, where a device or a quota is full. */
const CHROMIUM_NO_SPACE = 2 ** 32 - 8;

/** What a `read` or `write` moved, where it answered that. @throws DiskError where the answer means a failure */
export function moved(verb: "read" | "write", answer: number, asked: number, offset: number, file: string): number {
  const wroteNothing = verb === "write" && answer === 0 && asked > 0;
  if (answer <= asked && !wroteNothing) return answer;
  const doing = `${verb === "read" ? "reading" : "writing"} ${counted(asked, "byte")} at ${offset} of`;
  if (wroteNothing || answer === CHROMIUM_NO_SPACE) throw noSpace(doing, file);
  if (answer < 2 ** 31) return answer; // no number of an error, nor of bytes: who asked does not believe it
  const number = answer - 2 ** 32;
  throw new DiskError("IO", `${doing} ${shownName(file)} failed: the browser's error number is ${number}`, {
    path: file,
    number,
  });
}

export function inUse(path: string, cause?: unknown): DiskError {
  return new DiskError(
    "IN_USE",
    `${shownName(path)} is in use: another tab or worker has it open; close it there, then try again`,
    { path },
    cause,
  );
}

/** Why OPFS, which is there, did not let this page in. */
export function closedOpfs(cause: unknown): DiskError {
  const denied = MEANINGS.get(fieldOf(cause, "name"))?.[0] === "PERMISSION";
  return new DiskError(
    denied ? "PERMISSION" : "UNSUPPORTED",
    `the browser gives this page no OPFS (${reasonOf(cause)}): the window may be private, the site's data blocked, or the page in a sandboxed frame; use a normal window and allow the site to store data`,
    {},
    cause,
  );
}

function noSpace(doing: string, path: string, cause?: unknown): DiskError {
  return new DiskError(
    "NO_SPACE",
    `${doing} ${shownName(path)} failed: the browser's quota for this site is used up, or the device is full; free some of it, or ask for more with navigator.storage.persist()`,
    { path },
    cause,
  );
}

function denied(doing: string, path: string): string {
  return `${doing} ${path} failed: the browser denies this page access to OPFS`;
}
