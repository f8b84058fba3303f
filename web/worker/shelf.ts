/** The images kept in this browser: files in one folder of OPFS. */
import { DiskError } from "../../src/index.js";
import { OpfsStorage } from "../../src/storage/opfs.js";
import type { KeptDisk, Shelf } from "../shared/protocol.js";
import type { Progress } from "../shared/rpc.js";

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

/** The names that are taken; that of a disk which is open, too. */
export async function takenNames(): Promise<Set<string>> {
  return new Set((await readShelf()).disks.map(({ name }) => name));
}

/** Copies a file of the person's own, byte for byte; what fails on the way leaves nothing behind. */
export async function keepFile(file: File, progress: Progress): Promise<string> {
  const name = await freeName(file.name);
  const storage = await OpfsStorage.open(pathOf(name), { create: "new" });
  try {
    for (let offset = 0; offset < file.size; offset += PIECE) {
      progress(offset / file.size);
      writeAll(storage, new Uint8Array(await file.slice(offset, offset + PIECE).arrayBuffer()), offset);
    }
    storage.flush();
  } catch (error) {
    storage.close();
    await (await openFolder()).removeEntry(name);
    throw error;
  }
  storage.close();
  return name;
}

function writeAll(storage: OpfsStorage, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) done += storage.write(bytes.subarray(done), offset + done);
}

/** The name, or with a number where it is taken: "disk.hds", "disk 2.hds". */
async function freeName(wanted: string): Promise<string> {
  const taken = await takenNames();
  const [, stem = wanted, ending = ""] = /^(.*?)(\.[^.]*)?$/s.exec(wanted) ?? [];
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${stem} ${number}${ending}`;
    if (!taken.has(name)) return name;
  }
}

async function openFolder(): Promise<FileSystemDirectoryHandle> {
  if (typeof navigator.storage?.getDirectory !== "function") {
    throw new DiskError(
      "UNSUPPORTED",
      "This browser keeps no files for pages here: open the page over HTTPS or from localhost, and not in a private window.",
    );
  }
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}
