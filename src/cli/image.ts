/** Opening a Parallels image for commands that work on nothing else. */
import { Disk } from "../disk.js";
import { FileStorage } from "../storage/file.js";
import { about } from "./failure.js";

/** Opens an image for reading only. @throws DiskError with the path in its message */
export function openImage(path: string, share = false): Promise<Disk> {
  return about(path, async () =>
    Disk.open(await FileStorage.open(path, { readOnly: true, share }), { readOnly: true }),
  );
}
