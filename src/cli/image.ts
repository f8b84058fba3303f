/** A Parallels image, for commands that work on nothing else. */
import { Disk } from "../index.js";
import { about } from "./failure.js";
import { requireImage } from "./kind.js";
import { closing, openStorage, orClose, showing } from "./open-files.js";

/** Looks into an image, open for reading only, and shows how far it has read if that takes long. @throws DiskError with the path in its message */
export function withImage<T>(
  title: string,
  path: string,
  share: boolean | undefined,
  work: (disk: Disk) => Promise<T> | T,
): Promise<T> {
  return about(path, async () => {
    const storage = await openStorage(path, { readOnly: true, share: share ?? false });
    await orClose(storage, () => requireImage(path, storage));
    return showing(title, storage, async () => closing(await Disk.open(storage, { readOnly: true }), work));
  });
}
