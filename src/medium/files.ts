/** The verbs of folders, as operations: what a folder answers is checked on its way, and errors say what was tried. */
import { DiskError, requestError } from "../errors.js";
import { call, type Operation } from "../operation.js";
import { shownName } from "../printable.js";
import { namesAnswered, storageAnswered } from "../storage/answers.js";
import { type Folder, type FolderOpenOptions, isFileName } from "../storage/folder.js";
import type { Storage } from "../storage/storage.js";

/** The names of the files in a folder; what cannot be opened by its name is not there. */
export function* listFiles(folder: Folder): Operation<string[]> {
  return namesAnswered(folder, yield* named("listing the folder", () => folder.list()));
}

/**
 * Opens a file, which is the caller's to close. What is no file's name is an absolute path, and the caller has made sure
 * that it may be followed. @throws DiskError UNSUPPORTED where the folder does not lead anywhere else
 */
export function* openFile(folder: Folder, name: string, options: FolderOpenOptions): Operation<Storage> {
  const answer = yield* named(`opening ${name}`, () =>
    isFileName(name) ? folder.open(name, options) : outside(folder, name)(name, options),
  );
  return storageAnswered(folder, "open", answer, options.readOnly ?? false);
}

/** Makes a file, which is the caller's to close. */
export function* createFile(folder: Folder, name: string): Operation<Storage> {
  return storageAnswered(folder, "create", yield* named(`making ${name}`, () => folder.create(name)), false);
}

export const renameFile = (folder: Folder, from: string, to: string): Operation<void> =>
  named(`renaming ${from} to ${to}`, () => folder.rename(from, to));

export const removeFile = (folder: Folder, name: string): Operation<void> =>
  named(`removing ${name}`, () => folder.remove(name));

/** Names that were made, changed or removed before survive a loss of power then. */
export const syncFolder = (folder: Folder): Operation<void> =>
  named("making the folder's names durable", () => folder.sync());

function outside(folder: Folder, path: string): Folder["open"] {
  if (typeof folder.openOutside === "function") return folder.openOutside.bind(folder);
  const message = `${shownName(path)} lies outside the folder, and files there cannot be opened here: put it into the folder`;
  throw new DiskError("UNSUPPORTED", message, { path });
}

function* named<T>(doing: string, request: () => T | PromiseLike<T>): Operation<T> {
  try {
    return yield* call(request);
  } catch (error) {
    throw requestError(doing, error);
  }
}
