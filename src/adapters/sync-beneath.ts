/** What adapters for synchronous emulators stand on: a disk that answers at once. */
import type { DiskSync } from "../disk-sync.js";
import { requireNow } from "../promises.js";

/** @throws TypeError for a disk that answers with promises: an emulator would take its empty buffers for data */
export function requireSync(disk: DiskSync): void {
  requireNow(
    disk.read(new Uint8Array(0), 0),
    "disk: expected a DiskSync, got a disk that answers with promises: open it with openFileSync or DiskSync.open",
  );
}
