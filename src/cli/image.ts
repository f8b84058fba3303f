/** A Parallels image, for commands that work on nothing else. */
import { Disk } from "../disk.js";
import { about } from "./failure.js";
import { requireImage } from "./kind.js";
import { closing, openStorage, orClose } from "./open-files.js";

/** Looks into an image, open for reading only. @throws DiskError with the path in its message */
export function withImage<T>(
  path: string,
  share: boolean | undefined,
  work: (disk: Disk) => Promise<T> | T,
): Promise<T> {
  return about(path, async () => {
    const storage = await openStorage(path, { readOnly: true, share: share ?? false });
    await orClose(storage, () => requireImage(path, storage));
    return closing(await Disk.open(storage, { readOnly: true }), work);
  });
}
