/** The images kept in this browser: files in one folder of OPFS, each of them whole. */
import { DiskError, DiskSync } from "../../src/index.js";
import { OpfsStorage } from "../../src/storage/opfs.js";
import { opfsError } from "../../src/storage/opfs-error.js";
import { opfsRoot } from "../../src/storage/opfs-file.js";
import { safeName } from "../shared/names.js";
import type { KeptDisk, NewDisk, Shelf } from "../shared/protocol.js";
import type { Progress } from "../shared/rpc.js";
import { making } from "./unfinished.js";

const FOLDER = "disks";
const PIECE = 4 * 2 ** 20;

/** Where a disk's file lies in OPFS. */
export const pathOf = (name: string): string => `${FOLDER}/${name}`;

export async function readShelf(): Promise<Shelf> {
  const folder = await openFolder();
  const disks: KeptDisk[] = [];
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind !== "file") continue;
    const { size, lastModified } = await (handle as FileSystemFileHandle).getFile();
    disks.push({ name, bytes: size, modified: lastModified });
  }
  disks.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const { usage, quota } = await navigator.storage.estimate();
  return { disks, used: usage, quota };
}

export async function removeDisk(name: string): Promise<void> {
  // Who opens it alone may remove it: another tab may have it open.
  const storage = await OpfsStorage.open(pathOf(name));
  storage.close();
  await (await openFolder()).removeEntry(name);
}

/** Makes a disk of this very name. */
export async function createDisk({ name, ...options }: NewDisk): Promise<string> {
  requireFree(name, await takenNames());
  const make = async (path: string) => {
    const storage = await OpfsStorage.open(path, { create: "new" });
    try {
      DiskSync.create(storage, options).close();
    } catch (error) {
      closeQuietly(storage);
      throw error;
    }
  };
  return making(make, (move) => place(move, (taken) => requireFree(name, taken)));
}

/** Copies a file of the person's own, byte for byte; it gets a number where its name is taken. */
export function keepFile(file: File, progress: Progress): Promise<string> {
  return making(
    (path) => copy(file, path, progress),
    (move) => place(move, (taken) => freeName(safeName(file.name), taken)),
  );
}

async function copy(file: File, path: string, progress: Progress): Promise<void> {
  const storage = await OpfsStorage.open(path, { create: "new" });
  try {
    for (let offset = 0; offset < file.size; offset += PIECE) {
      progress(offset / file.size);
      const bytes = new Uint8Array(await file.slice(offset, offset + PIECE).arrayBuffer());
      // It takes at least a byte, or says what is the matter.
      for (let done = 0; done < bytes.length; ) done += storage.write(bytes.subarray(done), offset + done);
    }
    storage.flush();
  } catch (error) {
    closeQuietly(storage);
    throw error;
  }
  storage.close();
}

/** Puts a file that is whole on the shelf. One at a time, across tabs: moving would replace what has the name. */
function place(
  move: (folder: FileSystemDirectoryHandle, name: string) => Promise<void>,
  choose: (taken: Set<string>) => string,
): Promise<string> {
  return navigator.locks.request("parablock:shelf", async () => {
    const name = choose(await takenNames());
    try {
      await move(await openFolder(), name);
    } catch (error) {
      throw opfsError("keeping", name, error);
    }
    return name;
  });
}

async function takenNames(): Promise<Set<string>> {
  return new Set((await readShelf()).disks.map(({ name }) => name));
}

function requireFree(name: string, taken: Set<string>): string {
  if (!taken.has(name)) return name;
  throw new DiskError("EXISTS", `${name} exists already: choose another name`);
}

/** The name, or with a number where it is taken: "disk.hds", "disk 2.hds". */
function freeName(wanted: string, taken: Set<string>): string {
  const [, stem = wanted, ending = ""] = /^(.*?)(\.[^.]*)?$/s.exec(wanted) ?? [];
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${stem} ${number}${ending}`;
    if (!taken.has(name)) return name;
  }
}

/** What went wrong is told already. */
function closeQuietly(storage: OpfsStorage): void {
  try {
    storage.close();
  } catch {
    // Closed, or as good as.
  }
}

async function openFolder(): Promise<FileSystemDirectoryHandle> {
  return (await opfsRoot()).getDirectoryHandle(FOLDER, { create: true });
}
