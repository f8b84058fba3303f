/** Bundles in the disk worker: those that this browser keeps, folders in OPFS, and a person's own, which are only read. */
import { Bundle, type BundleDisk } from "../../src/bundle.js";
import { DiskError, OpfsFolder, PickedFolder, writeFully } from "../../src/index.js";
import type { BundleView } from "../shared/protocol.js";
import type { Progress } from "../shared/rpc.js";

const DESCRIPTOR = "DiskDescriptor.xml";
const DRAFT = `${DESCRIPTOR}.part`;
const PIECE = 4 * 2 ** 20;

export interface OpenBundle {
  bundle: Bundle;
  disk: BundleDisk;
}

/** Opens a bundle that is kept here, to be written, or one snapshot of it, to be read. */
export async function openKept(path: string, snapshot: string | undefined): Promise<OpenBundle> {
  return opened(await Bundle.open(await OpfsFolder.open(path)), snapshot, snapshot !== undefined);
}

/** Opens a bundle of the person's own. */
export async function openPicked(name: string, files: File[], snapshot: string | undefined): Promise<OpenBundle> {
  return opened(await Bundle.open(new PickedFolder(files, name)), snapshot, true);
}

async function opened(bundle: Bundle, snapshot: string | undefined, readOnly: boolean): Promise<OpenBundle> {
  const disk = await bundle.openDisk({ readOnly, ...(snapshot === undefined ? {} : { snapshot }) });
  return { bundle, disk };
}

/** What the page shows of a bundle. */
export function viewOf({ bundle, disk }: OpenBundle): BundleView {
  const { snapshots, parts, top } = bundle;
  return {
    shown: disk.snapshot,
    top,
    snapshots: snapshots.filter(({ temporary }) => !temporary),
    parts: parts.length,
    layers: depthOf(snapshots, disk.snapshot),
  };
}

function depthOf(snapshots: Bundle["snapshots"], guid: string): number {
  return 1 + (snapshots.find((snapshot) => snapshot.guid === guid)?.depth ?? 0);
}

export async function deleteSnapshot({ bundle }: OpenBundle, guid: string, progress: Progress): Promise<void> {
  await bundle.deleteSnapshot(guid, { onProgress: (done, total) => progress(done / total) });
}

/** Copies a bundle's files into a folder that is empty. The descriptor comes last: without one it is no bundle. */
export async function copyBundle(files: readonly File[], path: string, progress: Progress): Promise<void> {
  const folder = await OpfsFolder.open(path);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const ordered = [...files].sort((a, b) => Number(a.name === DESCRIPTOR) - Number(b.name === DESCRIPTOR));
  for (const file of ordered) {
    const isLast = file.name === DESCRIPTOR;
    const storage = await folder.create(isLast ? DRAFT : file.name);
    try {
      for (let offset = 0; offset < file.size; offset += PIECE) {
        progress(Math.min(1, (done + offset) / Math.max(1, total)));
        await writeFully(storage, new Uint8Array(await file.slice(offset, offset + PIECE).arrayBuffer()), offset);
      }
      await storage.flush();
    } finally {
      await storage.close();
    }
    done += file.size;
    if (isLast) await folder.rename(DRAFT, DESCRIPTOR);
  }
}

/** Whether a folder holds a bundle, whole; its files' sizes and when the last of them was written, if so. */
export async function measured(
  folder: FileSystemDirectoryHandle,
): Promise<{ bytes: number; modified: number } | undefined> {
  let [bytes, modified, whole] = [0, 0, false];
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind !== "file") continue;
    const { size, lastModified } = await (handle as FileSystemFileHandle).getFile();
    bytes += size;
    modified = Math.max(modified, lastModified);
    whole ||= name === DESCRIPTOR;
  }
  return whole ? { bytes, modified } : undefined;
}

/** @throws DiskError IN_USE where another tab has the bundle open */
export async function requireClosed(path: string): Promise<void> {
  let bundle: Bundle;
  try {
    bundle = await Bundle.open(await OpfsFolder.open(path));
  } catch (error) {
    if (error instanceof DiskError && error.code !== "IN_USE") return; // nobody can open what is no bundle
    throw error;
  }
  try {
    await bundle.openDisk();
  } catch (error) {
    if (error instanceof DiskError && error.code === "IN_USE") throw error;
  } finally {
    await bundle.close();
  }
}
