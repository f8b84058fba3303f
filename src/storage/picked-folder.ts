/**
 * A folder that a user has dropped or picked, as the files that the browser hands over: read where they lie, in no way
 * changed. Where the browser gives a FileSystemDirectoryHandle, HandleFolder can write, too.
 */
import { storageError } from "../errors.js";
import { quote } from "../printable.js";
import { BlobStorage } from "./blob.js";
import { type FolderOpenOptions, isFileName, requireFileName, requireOpenOptions } from "./folder.js";
import { notFound } from "./folder-errors.js";
import { ReadOnlyFolder } from "./read-only-folder.js";

export class PickedFolder extends ReadOnlyFolder {
  readonly #files = new Map<string, File>();

  /**
   * From files: those of `<input type="file" webkitdirectory>`, of which the ones in folders within are left out, or any
   * with names of their own. @throws TypeError for what is no File, RangeError where two have one name
   */
  constructor(files: Iterable<File>, path?: string) {
    const all = [...files];
    super(path ?? folderOf(all[0]) ?? "a picked folder");
    for (const file of all) {
      if (!(file instanceof File)) throw new TypeError(`files: expected Files, got ${quote(file)}`);
      if (!isFileName(file.name) || depthOf(file) > 1) continue;
      if (this.#files.has(file.name))
        throw new RangeError(`files: expected one of each name, got ${quote(file.name)} twice`);
      this.#files.set(file.name, file);
    }
  }

  /**
   * From a dropped folder: `item.webkitGetAsEntry()` gives it, which has to be asked for while the drop is handled.
   * @throws TypeError for what is no folder; DiskError NOT_FOUND, PERMISSION, IO
   */
  static async fromEntry(entry: FileSystemEntry | null): Promise<PickedFolder> {
    if (!entry?.isDirectory) throw new TypeError(`entry: expected that of a folder, got ${quote(entry)}`);
    try {
      return new PickedFolder(await filesIn(entry as FileSystemDirectoryEntry), entry.name);
    } catch (error) {
      throw storageError(`reading the folder ${entry.name}`, error, { path: entry.name });
    }
  }

  list(): string[] {
    return [...this.#files.keys()];
  }

  open(name: string, options: FolderOpenOptions = {}): BlobStorage {
    requireOpenOptions(options);
    requireFileName(name);
    const file = this.#files.get(name);
    if (file === undefined) throw notFound(name);
    return new BlobStorage(file);
  }
}

/** The folder that was picked, of "folder/file". */
const folderOf = (file: File | undefined): string | undefined => file?.webkitRelativePath?.split("/")[0] || undefined;

/** How many folders a file lies in, from the picked one on; 0 where it was picked itself. */
const depthOf = (file: File): number => (file.webkitRelativePath ?? "").split("/").length - 1;

async function filesIn(entry: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = entry.createReader();
  const entries: FileSystemEntry[] = [];
  // Chromium hands out a hundred at a time.
  for (let some = await entriesOf(reader); some.length > 0; some = await entriesOf(reader)) entries.push(...some);
  return Promise.all(entries.filter(({ isFile }) => isFile).map((file) => fileOf(file as FileSystemFileEntry)));
}

const entriesOf = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> =>
  new Promise((resolve, reject) => reader.readEntries(resolve, reject));

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));
