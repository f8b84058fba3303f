/** Images in OPFS that the benchmarks' workers measure, with the access handle beneath: a file has one at a time. */
import { DiskSync } from "../src/disk-sync.js";
import { OpfsStorage } from "../src/storage/opfs.js";

/** Access handles, as far as they are used here; TypeScript knows them in workers only. */
export interface Handle {
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
}

/** Makes an image of `size` bytes, all of it allocated, and opens it; answers its storage, and the handle that has. */
export async function openImage(path: string, size: number): Promise<{ storage: OpfsStorage; handle: Handle }> {
  const made = DiskSync.create(await OpfsStorage.open(path, { create: "replace" }), { size });
  const block = new Uint8Array(2 ** 20).fill(0x5a);
  for (let offset = 0; offset < size; offset += block.length) made.write(block, offset);
  made.close();

  const prototype = FileSystemFileHandle.prototype as unknown as { createSyncAccessHandle(): Promise<Handle> };
  const { createSyncAccessHandle } = prototype;
  let handle: Handle | undefined;
  prototype.createSyncAccessHandle = async function () {
    handle = await createSyncAccessHandle.call(this);
    return handle;
  };
  const storage = await OpfsStorage.open(path);
  prototype.createSyncAccessHandle = createSyncAccessHandle;
  return { storage, handle: handle! };
}
