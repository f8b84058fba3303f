/** A worker as a program would write it: it makes a disk in OPFS and serves it to its page. */
import { DiskSync, OpfsStorage, serveDisk } from "../../src/index.js";

async function makeDisk(): Promise<DiskSync> {
  const storage = await OpfsStorage.open("disk-worker.hds", { create: "replace" });
  return DiskSync.create(storage, { size: 2 ** 20, clusterSize: 4096 });
}

serveDisk(globalThis as never, makeDisk());
