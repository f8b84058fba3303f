/** What adapters for synchronous emulators stand on: a disk that answers at once. */
import type { BlockDeviceSync } from "../device/block-device.js";
import { DiskError } from "../errors.js";
import { requireNow } from "../promises.js";

/** @throws TypeError for a disk that answers with promises: an emulator would take its empty buffers for data */
export function requireSync(disk: BlockDeviceSync): void {
  requireNow(
    disk.read(new Uint8Array(0), 0),
    "disk: expected a DiskSync, got a disk that answers with promises: open it with openFileSync or DiskSync.open",
  );
}

/** @throws DiskError READ_ONLY for a device that cannot be written */
export function writeTo(disk: BlockDeviceSync, bytes: Uint8Array, offset: number): void {
  if (disk.write === undefined) throw new DiskError("READ_ONLY", "the disk cannot be written");
  disk.write(bytes, offset);
}
