/** The images kept in this browser: files in one folder of OPFS, each of them whole. */
import { DiskError, DiskSync, writeFullySync } from "../../src/index.js";
import { OpfsStorage } from "../../src/storage/opfs.js";
import { opfsError } from "../../src/storage/opfs-error.js";
import { opfsRoot } from "../../src/storage/opfs-file.js";
import { safeName } from "../shared/names.js";
import type { KeptDisk, NewDisk, Shelf } from "../shared/protocol.js";
import type { Progress } from "../shared/rpc.js";
import { copyBundle, measured, requireClosed } from "./bundles.js";
import { making } from "./unfinished.js";

const FOLDER = "disks";
const PIECE = 4 * 2 ** 20;

/** Where a disk's file lies in OPFS. */
export const pathOf = (name: string): string => `${FOLDER}/${name}`;

export async function readShelf(): Promise<Shelf> {
  const folder = await openFolder();
  const disks: KeptDisk[] = [];
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind === "directory") {
      const found = await measured(handle as FileSystemDirectoryHandle);
      if (found !== undefined) disks.push({ name, ...found });
      continue;
    }
    const { size, lastModified } = await (handle as FileSystemFileHandle).getFile();
    disks.push({ name, bytes: size, modified: lastModified });
  }
  disks.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const { usage, quota } = await navigator.storage.estimate();
  return { disks, used: usage, quota };
}

/** Whether what is kept under a name is a folder. */
export async function isBundle(name: string): Promise<boolean> {
  try {
    await (await openFolder()).getDirectoryHandle(name);
    return true;
  } catch {
    return false; // a file, or nothing: opening it says more
  }
}

export async function removeDisk(name: string): Promise<void> {
  if (await isBundle(name)) {
    await requireClosed(pathOf(name));
    return (await openFolder()).removeEntry(name, { recursive: true });
  }
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

/**
 * Copies a bundle of the person's own; it gets a number where its name is taken. Folders cannot be moved, so it lies in its
 * place from the beginning: while the descriptor is missing it is no bundle, and is swept away once nobody copies it.
 */
export async function keepBundle(bundle: string, files: File[], progress: Progress): Promise<string> {
  const wanted = safeName(/\.hdd$/i.test(bundle) ? bundle : `${bundle}.hdd`);
  const name = await navigator.locks.request("parablock:shelf", async () => {
    const free = freeName(wanted, await takenNames());
    await (await openFolder()).getDirectoryHandle(free, { create: true });
    return free;
  });
  return navigator.locks.request(copyLock(name), async () => {
    try {
      await copyBundle(files, pathOf(name), progress);
      return name;
    } catch (error) {
      await (await openFolder()).removeEntry(name, { recursive: true }).catch(() => {});
      throw error;
    }
  });
}

const copyLock = (name: string): string => `parablock:copying:${name}`;

/** Removes copies of bundles that nobody makes any more. */
export async function sweepBundles(): Promise<void> {
  const folder = await openFolder();
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind !== "directory" || (await measured(handle as FileSystemDirectoryHandle)) !== undefined) continue;
    await navigator.locks.request(copyLock(name), { ifAvailable: true }, async (lock) => {
      if (lock !== null) await folder.removeEntry(name, { recursive: true });
    });
  }
}

async function copy(file: File, path: string, progress: Progress): Promise<void> {
  const storage = await OpfsStorage.open(path, { create: "new" });
  try {
    for (let offset = 0; offset < file.size; offset += PIECE) {
      progress(offset / file.size);
      const bytes = new Uint8Array(await file.slice(offset, offset + PIECE).arrayBuffer());
      writeFullySync(storage, bytes, offset);
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
  const names = new Set<string>();
  for await (const [name] of (await openFolder()).entries()) names.add(name);
  return names;
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
