/**
 * Disks in files, for Node.
 *
 * ```ts
 * import { openFile } from "parablock/node";
 * await using disk = await openFile("disk.hds");
 * ```
 */
import { rmSync } from "node:fs";
import { Disk } from "./disk.js";
import { type CreateOptionsSync, DiskSync, type OpenOptionsSync } from "./disk-sync.js";
import { type CreateOptions, createSettings, type OpenOptions } from "./options.js";
import { type FileOptions, FileStorage, FileStorageSync } from "./storage/file.js";

export { type FileOptions, FileStorage, FileStorageSync } from "./storage/file.js";

/** How other processes are respected: see `FileOptions.share`. */
export type ShareOption = Pick<FileOptions, "share">;

/** Whether a file that exists may be replaced by a new disk. Default: false. */
export interface ReplaceOption {
  replace?: boolean;
}

/** Opens the image in a file. @throws DiskError as `FileStorage.open` and `Disk.open` */
export async function openFile(path: string, options: OpenOptions & ShareOption = {}): Promise<Disk> {
  return Disk.open(await FileStorage.open(path, fileOptions(options)), options);
}

/** Makes an empty image in a new file, and opens it. @throws RangeError, DiskError as `Disk.create`, EXISTS */
export async function createFile(path: string, { replace, ...options }: CreateOptions & ReplaceOption): Promise<Disk> {
  createSettings(options); // before a file is touched
  const storage = await FileStorage.open(path, { create: replace ? "replace" : "new" });
  try {
    return await Disk.create(storage, options);
  } catch (error) {
    removeHalfMade(path);
    throw error;
  }
}

/** `openFile` for the synchronous face. */
export function openFileSync(path: string, options: OpenOptionsSync & ShareOption = {}): DiskSync {
  return DiskSync.open(FileStorageSync.open(path, fileOptions(options)), options);
}

/** `createFile` for the synchronous face. */
export function createFileSync(path: string, { replace, ...options }: CreateOptionsSync & ReplaceOption): DiskSync {
  createSettings(options);
  const storage = FileStorageSync.open(path, { create: replace ? "replace" : "new" });
  try {
    return DiskSync.create(storage, options);
  } catch (error) {
    removeHalfMade(path);
    throw error;
  }
}

/** What was in the file is gone already: it was to be replaced, or was not there. */
function removeHalfMade(path: string): void {
  rmSync(path, { force: true });
}

function fileOptions({ readOnly = false, share = false }: OpenOptions & ShareOption): FileOptions {
  return { readOnly, share };
}
