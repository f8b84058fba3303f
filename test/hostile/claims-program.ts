/**
 * Opens each small file that claims much with one face and one engine, and tells how much memory that took:
 * `claims-program FACE ENGINE`. Run in a process of its own, as a peak is that of a process.
 */
import type { EngineKind } from "../../src/engine/engine.js";
import { DiskError } from "../../src/errors.js";
import { type AnyDisk, type FaceKind, openDisk } from "../support/faces.js";
import { SparseStorage } from "../support/sparse-storage.js";
import { claims } from "./claims.js";

/** Uses an image as a reader does. */
async function readAll(disk: AnyDisk): Promise<void> {
  void disk.info;
  for (let offset = 0, step = 0; offset < disk.size && step < 5; step++) {
    const runs = await disk.status(offset, disk.size - offset, 1000);
    offset = runs[runs.length - 1].offset + runs[runs.length - 1].length;
  }
  for (const offset of [0, disk.size - 512]) await tolerant(() => disk.read(new Uint8Array(512), offset));
  await disk.check();
  await disk.close();
}

async function tolerant(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}

/** Peak memory in MiB after each claim. */
async function measure(face: FaceKind, engine: EngineKind): Promise<[name: string, peak: number][]> {
  const peaks: [string, number][] = [];
  for (const { name, size, parts } of claims) {
    const storage = new SparseStorage(size, parts);
    await tolerant(async () => readAll(await openDisk(face, storage, { readOnly: true, engine })));
    (globalThis as { gc?: () => void }).gc?.();
    peaks.push([name, Math.round(process.resourceUsage().maxRSS / 1024)]);
  }
  return peaks;
}

const [, , face, engine] = process.argv;
console.log(JSON.stringify(await measure(face as FaceKind, engine as EngineKind)));
