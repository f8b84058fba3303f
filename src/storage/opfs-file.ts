/** Files of OPFS, found by their path and opened: what the platform offers, and what its errors mean. */

import { DiskError, storageError } from "../errors.js";
import { quote } from "../printable.js";

/** The part of FileSystemSyncAccessHandle that is used; TypeScript knows the type in workers only. */
export interface AccessHandle {
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** A file handle as workers have it; only Chromium knows modes, others open for one alone. */
interface WorkerFileHandle {
  createSyncAccessHandle(options: { mode: "readwrite" | "read-only" }): Promise<AccessHandle>;
}

/** The root of OPFS. @throws DiskError UNSUPPORTED where access handles are not to be had */
export async function opfsRoot(): Promise<FileSystemDirectoryHandle> {
  if (typeof globalThis.navigator?.storage?.getDirectory !== "function") {
    throw new DiskError(
      "UNSUPPORTED",
      "there is no OPFS here: it needs a browser, and a page that came over HTTPS or from localhost",
    );
  }
  if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) {
    throw new DiskError(
      "UNSUPPORTED",
      "files of OPFS open in dedicated workers only: open the disk in one, and use serveDisk there and connectDisk here",
    );
  }
  return navigator.storage.getDirectory();
}

/** The parts of a path; where a handle is given, of its place in OPFS. */
export async function partsOf(root: FileSystemDirectoryHandle, file: string | FileSystemFileHandle): Promise<string[]> {
  if (typeof file === "string") {
    const parts = file.split("/").filter((part) => part !== "");
    if (parts.length === 0) throw new RangeError(`path: expected the name of a file, got ${quote(file)}`);
    return parts;
  }
  const parts = await root.resolve(file);
  if (parts !== null) return parts;
  throw new DiskError("UNSUPPORTED", `${file.name} does not lie in OPFS: only files there open for writing in place`, {
    path: file.name,
  });
}

/** The file at a path; `create` makes it and the folders on the way. */
export async function fileAt(
  root: FileSystemDirectoryHandle,
  parts: readonly string[],
  create: boolean,
): Promise<FileSystemFileHandle> {
  let folder = root;
  for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create });
  return folder.getFileHandle(parts.at(-1)!, { create });
}

export async function fileExists(root: FileSystemDirectoryHandle, parts: readonly string[]): Promise<boolean> {
  try {
    await fileAt(root, parts, false);
    return true;
  } catch (error) {
    if (nameOf(error) === "NotFoundError") return false;
    throw error;
  }
}

const FIRST_WAIT = 10;

/** Opens a file; one that is still locked, as for a moment after a reload, is tried again until the time is up. */
export async function openHandle(
  file: FileSystemFileHandle,
  readOnly: boolean,
  waitMilliseconds: number,
): Promise<AccessHandle> {
  const mode = readOnly ? "read-only" : "readwrite";
  for (let wait = FIRST_WAIT, waited = 0; ; waited += wait, wait *= 2) {
    try {
      return await (file as unknown as WorkerFileHandle).createSyncAccessHandle({ mode });
    } catch (error) {
      if (nameOf(error) !== "NoModificationAllowedError" || waited >= waitMilliseconds) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** What an error of the platform means, said for a person. */
export function opfsError(doing: string, path: string, cause: unknown): Error {
  const say = (code: ConstructorParameters<typeof DiskError>[0], message: string) =>
    new DiskError(code, message, { path }, cause);
  if (cause instanceof DiskError || cause instanceof TypeError || cause instanceof RangeError) return cause;
  switch (nameOf(cause)) {
    case "NotFoundError":
      return say("NOT_FOUND", `${path} does not exist in OPFS: check the path`);
    case "TypeMismatchError":
      return say("IS_DIRECTORY", `${path} is a folder, or leads through a file: name a file`);
    case "NoModificationAllowedError":
      return inUse(path, cause);
    case "QuotaExceededError":
      return say(
        "NO_SPACE",
        `${doing} ${path} failed: the browser's quota for this site is used up; free some of it, or ask for more with navigator.storage.persist()`,
      );
    case "SecurityError":
    case "NotAllowedError":
      return say("PERMISSION", `${doing} ${path} failed: the browser denies this page access to OPFS`);
    default:
      return storageError(`${doing} ${path}`, cause, { path });
  }
}

export function inUse(path: string, cause?: unknown): DiskError {
  return new DiskError(
    "IN_USE",
    `${path} is in use: another tab or worker has it open; close it there, then try again`,
    { path },
    cause,
  );
}

function nameOf(error: unknown): unknown {
  return (error as { name?: unknown } | null | undefined)?.name;
}
