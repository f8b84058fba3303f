/** The disk worker: images in OPFS, or files of the person's own, opened here and served to the page one port each. */
import { type AnyDevice, Disk, DiskError, DiskSync } from "../../src/index.js";
import { BlobStorage } from "../../src/storage/blob.js";
import { OpfsStorage } from "../../src/storage/opfs.js";
import { serveDisk } from "../../src/worker/serve.js";
import type { Opened, Source, Verbs } from "../shared/protocol.js";
import { answer, type Handlers } from "../shared/rpc.js";
import { deleteSnapshot, type OpenBundle, openKept, openPicked, viewOf } from "./bundles.js";
import { extentAt, type Mapped, pictureOf } from "./picture.js";
import { createDisk, isBundle, keepBundle, keepFile, pathOf, readShelf, removeDisk, sweepBundles } from "./shelf.js";
import { sweep } from "./unfinished.js";

/** A disk that is open: an image, or a bundle's. */
type OpenDisk = { disk: Disk | DiskSync } | OpenBundle;

const open = new Map<number, OpenDisk>();
let lastId = 0;
/** What is being copied out: an image's bytes, or those of a bundle's disk. */
let exported: { read(buffer: Uint8Array, offset: number): Promise<number>; close(): void | Promise<void> } | undefined;

const handlers: Handlers<Verbs> = {
  shelf: readShelf,
  create: createDisk,
  keep: (file, { progress }) => keepFile(file, progress),
  keepBundle: ({ bundle, files }, { progress }) => keepBundle(bundle, files, progress),
  remove: removeDisk,
  async takeSnapshot(id) {
    await bundleOf(id).bundle.createSnapshot();
    return viewOf(bundleOf(id));
  },
  async switchSnapshot({ id, guid }) {
    await bundleOf(id).bundle.switchSnapshot(guid);
    return viewOf(bundleOf(id));
  },
  async deleteSnapshot({ id, guid }, { progress }) {
    await deleteSnapshot(bundleOf(id), guid, progress);
    return viewOf(bundleOf(id));
  },
  open: (source, { transfer }) => openDisk(source, transfer),
  close: (id) => void open.delete(id),
  async picture({ id, ...request }, { transfer }) {
    const picture = await pictureOf(mappedOf(id), request);
    transfer.push(
      picture.data.buffer,
      picture.beneath.buffer,
      picture.place.buffer,
      picture.breaks.buffer,
      picture.slots.buffer,
    );
    return picture;
  },
  extent: ({ id, offset, length }) => extentAt(mappedOf(id), offset, length),
  async beginExport(name) {
    if (await isBundle(name)) return beginExportOf(name);
    const storage = await OpfsStorage.open(pathOf(name));
    exported = { read: async (buffer, offset) => storage.read(buffer, offset), close: () => storage.close() };
    return storage.size();
  },
  async exportPiece({ offset, length }, { transfer }) {
    if (exported === undefined) throw new DiskError("CLOSED", "Nothing is being copied out.");
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = await exported.read(bytes.subarray(done), offset + done);
      if (count === 0) throw new DiskError("TRUNCATED", `the image ends at byte ${offset + done}: download it again`);
      done += count;
    }
    transfer.push(bytes.buffer);
    return bytes;
  },
  async endExport() {
    await exported?.close();
    exported = undefined;
  },
};

answer<Verbs>(self as unknown as Parameters<typeof answer>[0], handlers);
void Promise.all([sweep(), sweepBundles()]).catch(() => {}); // where there is no OPFS the shelf says so

async function openDisk(source: Source, transfer: Transferable[]): Promise<Opened> {
  const { damaged, ...opened } = await openSource(source);
  const { port1, port2 } = new MessageChannel();
  const id = ++lastId;
  open.set(id, opened);
  void serveDisk(port1, opened.disk).ended.then(() => open.delete(id));
  transfer.push(port2);
  return { id, port: port2, damaged, ...("bundle" in opened ? { bundle: viewOf(opened) } : {}) };
}

/** What is damaged is still opened, for reading: to be looked at, and saved from. */
async function openSource(source: Source): Promise<OpenDisk & { damaged: boolean }> {
  if ("file" in source) return { disk: await Disk.open(new BlobStorage(source.file)), damaged: false };
  if ("bundle" in source)
    return { ...(await openPicked(source.bundle, source.files, source.snapshot)), damaged: false };
  const path = pathOf(source.name);
  if (await isBundle(source.name)) return { ...(await openKept(path, source.snapshot)), damaged: false };
  try {
    return { disk: DiskSync.open(await OpfsStorage.open(path)), damaged: false };
  } catch (error) {
    if (!(error instanceof DiskError && error.code === "CORRUPT")) throw error;
    return { disk: DiskSync.open(await OpfsStorage.open(path), { readOnly: true }), damaged: true };
  }
}

/** Copies a bundle's disk out byte for byte, as a raw disk: the one form that everything reads. */
async function beginExportOf(name: string): Promise<number> {
  const { bundle, disk } = await openKept(pathOf(name), undefined);
  const read = async (buffer: Uint8Array, offset: number) => {
    await disk.read(buffer, offset);
    return buffer.length;
  };
  exported = { read, close: () => bundle.close() };
  return disk.size;
}

function openOf(id: number): OpenDisk {
  const disk = open.get(id);
  if (disk === undefined) throw new DiskError("CLOSED", "The disk is closed: open it again.");
  return disk;
}

function bundleOf(id: number): OpenBundle {
  const disk = openOf(id);
  if ("bundle" in disk) return disk;
  throw new DiskError("UNSUPPORTED", "This disk is a single image, which has no snapshots.");
}

/** A bundle's disk has no one file: its squares are coloured by their place on the disk. */
function mappedOf(id: number): Mapped {
  const { disk } = openOf(id);
  const device: AnyDevice = disk;
  const file = "info" in disk ? disk.info : undefined;
  return { device, clusterSize: disk.clusterSize, file };
}
