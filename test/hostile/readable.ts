/** What can be read of a disk, byte for byte: the rest is an error. */
import { DiskSync } from "../../src/disk-sync.js";
import type { EngineKind } from "../../src/engine/engine.js";
import { DiskError } from "../../src/errors.js";
import { MemoryStorage } from "../../src/storage/memory.js";

const SECTOR = 512;
/** More than this of a disk is not looked at. */
const MOST = 32 * 1024;

export interface Readable {
  bytes: Uint8Array;
  /** 1 for each byte that could be read. */
  mask: Uint8Array;
}

/** Reads what can be read: all at once, else cluster by cluster, else sector by sector. */
export function readable(disk: DiskSync): Readable {
  const size = Math.min(disk.size, MOST);
  const found = { bytes: new Uint8Array(size), mask: new Uint8Array(size) };
  readInto(disk, found, 0, size, [disk.clusterSize, SECTOR]);
  return found;
}

function readInto(disk: DiskSync, found: Readable, from: number, to: number, [step, ...steps]: number[]): void {
  try {
    disk.read(found.bytes.subarray(from, to), from);
    found.mask.fill(1, from, to);
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== "BAD_ENTRY") throw error;
    found.bytes.fill(0, from, to);
    if (step === undefined) return;
    for (let at = from; at < to; at += step) readInto(disk, found, at, Math.min(to, at + step), steps);
  }
}

/** Opens a file for reading only and looks at all of it; undefined where it does not open. */
export function lookAt(bytes: Uint8Array, engine: EngineKind): { disk: DiskSync; content: Readable } | undefined {
  let disk: DiskSync;
  try {
    disk = DiskSync.open(new MemoryStorage(bytes), { engine, readOnly: true });
  } catch (error) {
    if (error instanceof DiskError) return undefined;
    throw error;
  }
  return { disk, content: readable(disk) };
}

/** The first byte that could be read before and reads otherwise now; -1 if there is none. */
export function firstLoss(before: Readable, after: Readable): number {
  for (let at = 0; at < before.mask.length; at++)
    if (before.mask[at] === 1 && (after.mask[at] !== 1 || after.bytes[at] !== before.bytes[at])) return at;
  return -1;
}
