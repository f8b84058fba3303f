/** Compacting in windows of any size: those of a disk are larger than the disks of tests. */
import { Disk } from "../../src/disk.js";
import { Face } from "../../src/face.js";
import { compact } from "../../src/image/compact.js";
import { type CompactOptions, compactSettings } from "../../src/image/compact-settings.js";
import type { CompactReport } from "../../src/image/reports.js";
import { runAsync, runSync } from "../../src/run.js";
import type { AnyDisk } from "./faces.js";

export async function compactIn(disk: AnyDisk, windowSize: number, options: CompactOptions): Promise<CompactReport> {
  const image = Face.imageOf(disk);
  const operation = compact(image, { ...compactSettings(options), windowSize });
  return disk instanceof Disk ? runAsync(operation, image) : runSync(operation);
}
