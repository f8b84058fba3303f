/** A Parallels image, for commands that work on nothing else. */
import { type BlockDevice, Disk } from "../index.js";
import { about } from "./failure.js";
import { requireImage } from "./kind.js";
import { closing, openStorage, orClose, showing, type WatchedFile } from "./open-files.js";

export interface ImageOptions {
  readOnly?: boolean;
  /** Reads what others may be writing. */
  share?: boolean | undefined;
  /** What lies beneath it. */
  base?: BlockDevice | undefined;
}

/** Opens an image. @throws DiskError with the path in its message; Failure for what is no image */
export function openImage(path: string, options: ImageOptions = {}): Promise<Disk> {
  return about(path, async () => openOn(await openFile(path, options), options));
}

/** Looks into an image, open for reading only, and shows how far it has read if that takes long. @throws DiskError with the path in its message */
export function withImage<T>(
  title: string,
  path: string,
  share: boolean | undefined,
  work: (disk: Disk) => Promise<T> | T,
): Promise<T> {
  return about(path, async () => {
    const options = { readOnly: true, share };
    const storage = await openFile(path, options);
    return showing(title, storage, async () => closing(await openOn(storage, options), work));
  });
}

async function openFile(path: string, { readOnly = false, share = false }: ImageOptions): Promise<WatchedFile> {
  const storage = await openStorage(path, { readOnly, share });
  await orClose(storage, () => requireImage(path, storage));
  return storage;
}

const openOn = (storage: WatchedFile, { readOnly = false, base }: ImageOptions): Promise<Disk> =>
  Disk.open(storage, { readOnly, ...(base && { base }) });
