/**
 * Disks in files, for Node.
 *
 * ```ts
 * import { openFile } from "parablock/node";
 * await using disk = await openFile("disk.hds");
 * ```
 */
import { requireFlags, requireOptions } from "./caller-options.js";
import type { AnyDevice } from "./device/block-device.js";
import { Disk } from "./disk.js";
import { type CreateOptionsSync, DiskSync, type OpenOptionsSync } from "./disk-sync.js";
import {
  CREATE_OPTIONS,
  type CreateOptions,
  OPEN_OPTIONS,
  type OpenOptions,
  requireNewDisk,
  requireValues,
} from "./options.js";
import { Draft } from "./storage/draft.js";
import { type FileOptions, FileStorage, FileStorageSync } from "./storage/file.js";
import type { Storage } from "./storage/storage.js";

export { Draft } from "./storage/draft.js";
export { type FileOptions, FileStorage, FileStorageSync } from "./storage/file.js";
export { FileFolder, FileFolderSync } from "./storage/file-folder.js";
export { nativeCalls, useKoffi } from "./storage/native.js";

/** How other processes are respected: see `FileOptions.share`. */
export type ShareOption = Pick<FileOptions, "share">;

/** Whether a file that exists may be replaced by a new disk, which takes its name once it is complete. Default: false. */
export interface ReplaceOption {
  replace?: boolean;
}

/** Opens the image in a file. @throws TypeError, RangeError; DiskError as `FileStorage.open` and `Disk.open` */
export async function openFile(path: string, options: OpenOptions & ShareOption = {}): Promise<Disk> {
  const { file, disk } = openingOf(options);
  return Disk.open(await FileStorage.open(path, file), disk);
}

/** Makes an empty image in a new file, and opens it. @throws TypeError, RangeError, DiskError as `Disk.create`, EXISTS */
export async function createFile(path: string, options: CreateOptions & ReplaceOption): Promise<Disk> {
  const { replace, disk } = makingOf(options);
  const draft = Draft.begin(path, replace);
  let made: Disk | undefined;
  try {
    const storage = await FileStorage.open(draft.path);
    made = await Disk.create(storage, disk);
    draft.publish(storage);
    return made;
  } catch (error) {
    await made?.abandon();
    draft.discard();
    throw error;
  }
}

/** `openFile` for the synchronous face. */
export function openFileSync(path: string, options: OpenOptionsSync & ShareOption = {}): DiskSync {
  const { file, disk } = openingOf(options);
  return DiskSync.open(FileStorageSync.open(path, file), disk);
}

/** `createFile` for the synchronous face. */
export function createFileSync(path: string, options: CreateOptionsSync & ReplaceOption): DiskSync {
  const { replace, disk } = makingOf(options);
  const draft = Draft.begin(path, replace);
  let made: DiskSync | undefined;
  try {
    const storage = FileStorageSync.open(draft.path);
    made = DiskSync.create(storage, disk);
    draft.publish(storage);
    return made;
  } catch (error) {
    made?.abandon();
    draft.discard();
    throw error;
  }
}

/** What is for the file and what for the disk, all of it checked before there is a file. */
function openingOf<Beneath extends AnyDevice | Storage>(options: OpenOptions<Beneath> & ShareOption) {
  requireOptions<OpenOptions & ShareOption>(options, { ...OPEN_OPTIONS, share: true });
  const { share = false, ...disk } = options;
  requireFlags({ share });
  requireValues(disk);
  return { file: { readOnly: disk.readOnly ?? false, share }, disk };
}

function makingOf<Beneath extends AnyDevice | Storage>(options: CreateOptions<Beneath> & ReplaceOption) {
  requireOptions<CreateOptions & ReplaceOption>(options, { ...CREATE_OPTIONS, replace: true });
  const { replace = false, ...disk } = options;
  requireFlags({ replace });
  requireNewDisk(disk);
  return { replace, disk };
}
