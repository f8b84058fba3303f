/** The disk worker: images in OPFS, or files of the person's own, opened here and served to the page one port each. */
import { Disk, DiskError, DiskSync } from "../../src/index.js";
import { BlobStorage } from "../../src/storage/blob.js";
import { OpfsStorage } from "../../src/storage/opfs.js";
import { serveDisk } from "../../src/worker/serve.js";
import type { Opened, Source, Verbs } from "../shared/protocol.js";
import { answer, type Handlers } from "../shared/rpc.js";
import { extentAt, pictureOf } from "./picture.js";
import { createDisk, keepFile, pathOf, readShelf, removeDisk } from "./shelf.js";
import { sweep } from "./unfinished.js";

type OpenDisk = Disk | DiskSync;

const open = new Map<number, OpenDisk>();
let lastId = 0;
/** The image that is being copied out. */
let exported: OpfsStorage | undefined;

const handlers: Handlers<Verbs> = {
  shelf: readShelf,
  create: createDisk,
  keep: (file, { progress }) => keepFile(file, progress),
  remove: removeDisk,
  open: (source, { transfer }) => openDisk(source, transfer),
  close: (id) => void open.delete(id),
  async picture({ id, ...request }, { transfer }) {
    const picture = await pictureOf(diskOf(id), request);
    transfer.push(picture.data.buffer, picture.place.buffer, picture.breaks.buffer, picture.slots.buffer);
    return picture;
  },
  extent: ({ id, offset, length }) => extentAt(diskOf(id), offset, length),
  async beginExport(name) {
    exported = await OpfsStorage.open(pathOf(name));
    return exported.size();
  },
  exportPiece({ offset, length }, { transfer }) {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = exported!.read(bytes.subarray(done), offset + done);
      if (count === 0) throw new DiskError("TRUNCATED", `the image ends at byte ${offset + done}: download it again`);
      done += count;
    }
    transfer.push(bytes.buffer);
    return bytes;
  },
  endExport() {
    exported?.close();
    exported = undefined;
  },
};

answer<Verbs>(self as unknown as Parameters<typeof answer>[0], handlers);
void sweep().catch(() => {}); // where there is no OPFS the shelf says so

async function openDisk(source: Source, transfer: Transferable[]): Promise<Opened> {
  const { disk, damaged } = await openImage(source);
  const { port1, port2 } = new MessageChannel();
  const id = ++lastId;
  open.set(id, disk);
  void serveDisk(port1, disk).ended.then(() => open.delete(id));
  transfer.push(port2);
  return { id, port: port2, damaged };
}

/** What is damaged is still opened, for reading: to be looked at, and saved from. */
async function openImage(source: Source): Promise<{ disk: OpenDisk; damaged: boolean }> {
  if ("file" in source) return { disk: await Disk.open(new BlobStorage(source.file)), damaged: false };
  try {
    return { disk: DiskSync.open(await OpfsStorage.open(pathOf(source.name))), damaged: false };
  } catch (error) {
    if (!(error instanceof DiskError && error.code === "CORRUPT")) throw error;
    return { disk: DiskSync.open(await OpfsStorage.open(pathOf(source.name)), { readOnly: true }), damaged: true };
  }
}

function diskOf(id: number): OpenDisk {
  const disk = open.get(id);
  if (disk === undefined) throw new DiskError("CLOSED", "The disk is closed: open it again.");
  return disk;
}
