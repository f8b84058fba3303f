/**
 * Directories as browsers give them, FileSystemDirectoryHandle: those of OPFS and those that a user has picked. What
 * their errors mean, and how a file gets another name.
 */
import { DiskError, fieldOf, reasonOf, storageError } from "../errors.js";
import { quote, shownName } from "../printable.js";
import { isFileName } from "./folder.js";
import { notFound } from "./folder-errors.js";

/** What TypeScript does not know yet. */
interface Listing {
  values(): AsyncIterable<FileSystemHandle>;
}
interface Movable {
  move?(name: string): Promise<void>;
}

/** @throws TypeError */
export function requireDirectoryHandle(handle: unknown): void {
  if (fieldOf(handle, "kind") !== "directory")
    throw new TypeError(`handle: expected a FileSystemDirectoryHandle, got ${quote(handle)}`);
}

export async function filesIn(directory: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const { kind, name } of (directory as unknown as Listing).values()) {
    if (kind === "file" && isFileName(name)) names.push(name);
  }
  return names;
}

export async function hasFile(directory: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  try {
    await directory.getFileHandle(name);
    return true;
  } catch (error) {
    if (fieldOf(error, "name") === "NotFoundError") return false;
    throw error;
  }
}

/**
 * Gives a file another name, over whatever has it. Where the browser moves files that is one step. Where it does not, or
 * not over others, the content goes into the other file through a stream, which takes effect as a whole when it is
 * closed: whoever is interrupted then leaves the old name there, too, or, where there was none of the new name, an
 * empty file of that.
 */
export async function moveFile(directory: FileSystemDirectoryHandle, from: string, to: string): Promise<void> {
  const file = await directory.getFileHandle(from);
  await hasFile(directory, to); // Firefox would put the file in the place of a folder of that name
  if (from === to || (await moved(file, to))) return;
  const target = await directory.getFileHandle(to, { create: true });
  const stream = await target.createWritable();
  try {
    await stream.write(await file.getFile());
    await stream.close();
  } catch (error) {
    await stream.abort().catch(() => {});
    throw error;
  }
  await directory.removeEntry(from);
}

export async function removeFile(directory: FileSystemDirectoryHandle, name: string): Promise<void> {
  await directory.getFileHandle(name); // a folder is not ours to remove
  await directory.removeEntry(name);
}

async function moved(file: FileSystemFileHandle & Movable, to: string): Promise<boolean> {
  try {
    await file.move?.(to);
    return file.move !== undefined;
  } catch {
    return false;
  }
}

/** What an error of the browser means, said for a person. */
export function handleError(doing: string, path: string, cause: unknown): Error {
  const shown = shownName(path);
  const about = (code: "PERMISSION" | "IN_USE" | "IS_DIRECTORY" | "UNSUPPORTED", what: string) =>
    new DiskError(code, `${doing} ${shown} failed: ${what}`, { path }, cause);
  switch (fieldOf(cause, "name")) {
    case "NotFoundError":
      return notFound(path, cause);
    case "NotAllowedError":
    case "SecurityError":
      return about(
        "PERMISSION",
        `the browser does not let this page: ask with the handle's requestPermission, when the user clicks`,
      );
    case "NoModificationAllowedError":
      return about("IN_USE", "another tab or worker has it open: close it there, then try again");
    case "TypeMismatchError":
      return about("IS_DIRECTORY", "it is a folder: name a file");
    case "InvalidModificationError":
      return about("UNSUPPORTED", `the browser does not do that here (${reasonOf(cause)})`);
    case "TypeError":
      return about("UNSUPPORTED", `the browser has no such thing, or does not take the name (${reasonOf(cause)})`);
    default:
      return storageError(`${doing} ${shown}`, cause, { path });
  }
}
