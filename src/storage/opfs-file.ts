/** Files of OPFS, found by their path and opened: what a path may be, and what the platform offers. */

import { DiskError } from "../errors.js";
import { quote, shownName } from "../printable.js";
import { isThenable } from "../promises.js";
import { isFileName, LONGEST_NAME } from "./folder.js";
import { closedOpfs } from "./opfs-error.js";

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

/** The root of OPFS. @throws DiskError UNSUPPORTED where access handles are not to be had, PERMISSION */
export async function opfsRoot(): Promise<FileSystemDirectoryHandle> {
  const missing = missingHere();
  if (missing !== undefined) throw new DiskError("UNSUPPORTED", missing);
  try {
    return await navigator.storage.getDirectory();
  } catch (error) {
    throw closedOpfs(error);
  }
}

/** What there is to do before files of OPFS can be opened here; nothing where all is there. */
function missingHere(): string | undefined {
  const { navigator, isSecureContext, FileSystemFileHandle } = globalThis;
  if (typeof navigator?.storage?.getDirectory !== "function") {
    if (isSecureContext === false)
      return "there is no OPFS on this page: it came over plain HTTP; serve it over HTTPS, or from localhost";
    return "there is no OPFS here: it needs a browser of 2023 or later (Chrome 108, Firefox 111, Safari 16.4) in which it is not switched off, as it is in WebKitGTK and in some private windows";
  }
  if (FileSystemFileHandle !== undefined && "createSyncAccessHandle" in FileSystemFileHandle.prototype)
    return undefined;
  if ("DedicatedWorkerGlobalScope" in globalThis)
    return "this browser has OPFS, but opens no files of it for writing in place: use one of 2023 or later (Chrome 108, Firefox 111, Safari 16.4)";
  return "files of OPFS open in dedicated workers only: open the disk in one, and use serveDisk there and connectDisk here";
}

const NAMES = `names of 1 to ${LONGEST_NAME} bytes, parted by "/", none of them "." or "..", without backslashes, NUL and halves of characters`;

/** The parts of a path. @throws TypeError, or RangeError for names that not every browser takes */
export function requirePath(path: string): string[] {
  const parts = requireParts(path);
  if (parts.length === 0) throw badPath(path);
  return parts;
}

/** The parts of a folder's path; none for the root. @throws RangeError */
export function requireParts(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  if (!parts.every(isFileName)) throw badPath(path);
  return parts;
}

function badPath(path: string, cause?: unknown): RangeError {
  return new RangeError(`path: expected ${NAMES}, got ${quote(path)}`, { cause });
}

/** The parts of the path of a file's or a folder's place in OPFS. */
export async function partsOf(root: FileSystemDirectoryHandle, file: FileSystemHandle): Promise<string[]> {
  const parts = await root.resolve(file);
  if (parts !== null) return parts;
  const message = `${shownName(file.name)} does not lie in OPFS: only files there open for writing in place`;
  throw new DiskError("UNSUPPORTED", message, { path: file.name });
}

/** The file at a path; `create` makes it and the folders on the way. @throws RangeError where the browser refuses a name */
export async function fileAt(
  root: FileSystemDirectoryHandle,
  parts: readonly string[],
  create: boolean,
): Promise<FileSystemFileHandle> {
  try {
    return await (await directoryAt(root, parts.slice(0, -1), create)).getFileHandle(parts.at(-1)!, { create });
  } catch (error) {
    throw error instanceof TypeError ? badPath(parts.join("/"), error) : error;
  }
}

/** The folder at a path; `create` makes it and those on the way. */
export async function directoryAt(
  root: FileSystemDirectoryHandle,
  parts: readonly string[],
  create: boolean,
): Promise<FileSystemDirectoryHandle> {
  let folder = root;
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
  return folder;
}

export async function removeFile(root: FileSystemDirectoryHandle, parts: readonly string[]): Promise<void> {
  await (await directoryAt(root, parts.slice(0, -1), false)).removeEntry(parts.at(-1)!);
}

export async function fileExists(root: FileSystemDirectoryHandle, parts: readonly string[]): Promise<boolean> {
  try {
    await fileAt(root, parts, false);
    return true;
  } catch (error) {
    if ((error as Error).name === "NotFoundError") return false;
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
      return await answering(await (file as unknown as WorkerFileHandle).createSyncAccessHandle({ mode }));
    } catch (error) {
      if ((error as Error).name !== "NoModificationAllowedError" || waited >= waitMilliseconds) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** The handle, where it answers at once: Safari's first ones had promises for the size, truncating, flushing, closing. */
async function answering(handle: AccessHandle): Promise<AccessHandle> {
  const size: unknown = handle.getSize();
  if (!isThenable(size)) return handle;
  await Promise.allSettled([size]);
  await handle.close();
  const message =
    "files of OPFS answer with promises in this browser, as in Safari before 16.4, and a disk must have its bytes at once: update the browser";
  throw new DiskError("UNSUPPORTED", message);
}
