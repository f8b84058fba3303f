/**
 * Files in the making: they lie in a folder of their own, under names that nobody else has, and move to where they
 * belong when they are whole. What a page that ended in the midst has left there is swept away; the maker holds a Web
 * Lock by the file's name, which the browser takes from it when it dies, so that the work of a living tab stays.
 */
import { DiskError } from "../../src/index.js";
import { OpfsStorage } from "../../src/storage/opfs.js";
import { opfsRoot } from "../../src/storage/opfs-file.js";

const FOLDER = "unfinished";

/** A file that can be moved within OPFS, as all of today's browsers can; TypeScript does not know it yet. */
interface Movable extends FileSystemFileHandle {
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

/**
 * Makes a file and puts it where it belongs.
 * @param make makes it, closed, at the path that it is given
 * @param place chooses folder and name for it, and moves it there
 */
export function making<Placed>(
  make: (path: string) => Promise<void>,
  place: (move: (folder: FileSystemDirectoryHandle, name: string) => Promise<void>) => Promise<Placed>,
): Promise<Placed> {
  const name = crypto.randomUUID();
  return navigator.locks.request(lockOf(name), async () => {
    try {
      await make(`${FOLDER}/${name}`);
      const file: Movable = await (await openFolder()).getFileHandle(name);
      return await place(async (folder, final) => {
        if (file.move === undefined)
          throw new DiskError("UNSUPPORTED", "this browser cannot rename the files that it keeps: update it");
        await file.move(folder, final);
      });
    } catch (error) {
      await remove(name).catch(() => {}); // the next sweep tries again
      throw error;
    }
  });
}

/** Removes what nobody makes any more; what somebody does is looked at again when they are through. */
export async function sweep(): Promise<void> {
  const folder = (await openFolder()) as FileSystemDirectoryHandle & { keys(): AsyncIterable<string> };
  const sweeping: Promise<void>[] = [];
  for await (const name of folder.keys()) sweeping.push(navigator.locks.request(lockOf(name), () => remove(name)));
  await Promise.allSettled(sweeping);
}

async function remove(name: string): Promise<void> {
  const folder = await openFolder();
  try {
    // Waits for the access handle of a worker that is dying.
    (await OpfsStorage.open(`${FOLDER}/${name}`)).close();
  } catch (error) {
    if (error instanceof DiskError && error.code === "NOT_FOUND") return; // it was moved, or never made
    throw error;
  }
  await folder.removeEntry(name);
}

async function openFolder(): Promise<FileSystemDirectoryHandle> {
  return (await opfsRoot()).getDirectoryHandle(FOLDER, { create: true });
}

const lockOf = (name: string) => `parablock:unfinished:${name}`;
