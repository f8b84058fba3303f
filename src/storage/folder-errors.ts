/** What folders of every kind say when they refuse. */
import { DiskError } from "../errors.js";
import { shownName } from "../printable.js";
import { type Folder, requireFileName } from "./folder.js";

export function notFound(path: string, cause?: unknown): DiskError {
  return new DiskError("NOT_FOUND", `${shownName(path)} does not exist: check the name`, { path }, cause);
}

export function exists(path: string, cause?: unknown): DiskError {
  const message = `${shownName(path)} exists already: choose another name, or remove it first`;
  return new DiskError("EXISTS", message, { path }, cause);
}

/** Of a file, or a folder, that is open for reading only. */
export function readOnlyError(path: string): DiskError {
  const message = `${shownName(path)} is open for reading only: open it without readOnly, or copy it to where it can be changed`;
  return new DiskError("READ_ONLY", message, { path });
}

/** For verbs that change names. @throws TypeError, RangeError; DiskError READ_ONLY */
export function requireChangeable({ path = "the folder", readOnly }: Folder, ...names: readonly string[]): void {
  for (const name of names) requireFileName(name);
  if (readOnly) throw readOnlyError(path);
}

export function closedFile(path: string): DiskError {
  return new DiskError("CLOSED", `${shownName(path)} is closed: open it again`, { path });
}
