/**
 * Undoing a repair: the BAT entries that it took away come back from its backup, as long as nothing was written to their
 * guest clusters since. Entries that got copies keep them: they read the same either way.
 */
import { takeBuffer } from "../buffers.js";
import { DiskError } from "../errors.js";
import { decodeHeader, FLAG, HEADER_SIZE, type Header, IN_USE, SECTOR_SIZE } from "../format/header.js";
import { closeStorage } from "../medium/transfer.js";
import type { Operation } from "../operation.js";
import type { Storage } from "../storage/storage.js";
import { misplaced } from "./bad-entries.js";
import { sectorsToBytes } from "./grid.js";
import type { Image } from "./image.js";
import { changeHeader } from "./mark.js";
import { load, owning } from "./open.js";

/** Puts entries back into the image and closes it, marked as not closed cleanly; answers how many. */
export function* undoRepair(storage: Storage, backup: Uint8Array): Operation<number> {
  const saved = new Uint8Array(takeBuffer(backup)); // it stays the caller's
  const count = yield* owning(storage, function* () {
    const image = yield* load(storage, SETTINGS);
    const runs = restoreEntries(image, readBackup(image, saved));
    if (runs.length > 0) yield* writeEntries(image, runs);
    return runs.reduce((sum, { count }) => sum + count, 0);
  });
  yield* closeStorage(storage);
  return count;
}

const SETTINGS = {
  readOnly: false,
  engine: undefined,
  base: undefined,
  repair: "none",
  preallocation: { mode: "off", size: 0 },
  concurrent: false,
} as const;

interface Backup {
  header: Header;
  /** Entry by entry; more than the header says where the repair made the BAT longer. */
  bat: DataView;
}

/** The BAT in a backup, if it is one of this image. */
function readBackup(image: Image, backup: Uint8Array): Backup {
  const header = decodeHeader(backup);
  const { format, tracks, sectorCount } = image.header;
  const fits = header.format === format && header.tracks === tracks && header.sectorCount === sectorCount;
  const size = HEADER_SIZE + 4 * Math.max(header.batEntries, image.engine.entryCount);
  const whole = backup.length === HEADER_SIZE + 4 * header.batEntries || backup.length === size;
  if (!fits || !whole) {
    throw new DiskError("UNSUPPORTED", "the backup does not belong to this image: its format, size or BAT differs");
  }
  return { header, bat: new DataView(backup.buffer, backup.byteOffset + HEADER_SIZE, backup.length - HEADER_SIZE) };
}

/** Neighbours in the BAT. */
interface EntryRun {
  first: number;
  count: number;
}

/** Restores entries in memory; answers which. */
function restoreEntries(image: Image, { header, bat: saved }: Backup): EntryRun[] {
  const runs: EntryRun[] = [];
  if (image.tables.emptyFlag) return runs; // the BAT in the file is as it was
  for (let cluster = 0; cluster < Math.min(image.engine.entryCount, saved.byteLength / 4); cluster++) {
    const entry = saved.getUint32(4 * cluster, true);
    const hidden = (header.flags & FLAG.empty) !== 0 || cluster >= header.batEntries;
    if (entry === 0 || !isFree(image, cluster) || !mayReturn(image, entry, hidden)) continue;
    image.engine.bat[cluster] = entry; // fetched afresh: the tables' memory may have moved
    const last = runs[runs.length - 1];
    if (last !== undefined && last.first + last.count === cluster) last.count++;
    else runs.push({ first: cluster, count: 1 });
  }
  return runs;
}

/** Whether nothing has taken an entry's place: what leads nowhere itself was left by an undo that was cut off. */
function isFree(image: Image, cluster: number): boolean {
  const entry = image.engine.bat[cluster];
  return entry === 0 || isNowhere(image, entry);
}

/** A cluster that begins in the file and ends behind it is not nowhere: the file may have grown into it since. */
function isNowhere(image: Image, entry: number): boolean {
  return misplaced(image.grid, entry) === "below" || image.grid.fileOffsetOf(entry) >= image.medium.size;
}

/** An entry that led nowhere must still do so; one that the header hid may lead to what nothing else refers to. */
function mayReturn(image: Image, entry: number, hidden: boolean): boolean {
  if (isNowhere(image, entry)) return true;
  const { engine, grid } = image;
  if (!hidden || misplaced(image.grid, entry) !== undefined) return false;
  const hostCluster = grid.hostClusterOf(entry);
  return engine.nextFree(hostCluster) === hostCluster && engine.reserve(hostCluster, 1) === 0;
}

/** In whole sectors: a medium writes all of one or nothing, and half an entry would lead anywhere. */
function* writeEntries(image: Image, runs: readonly EntryRun[]): Operation<void> {
  yield* changeHeader(image, { inUse: IN_USE.open });
  let written = HEADER_SIZE;
  for (const { first, count } of runs) {
    const start = Math.max(written, sectorsToBytes(Math.floor((HEADER_SIZE + 4 * first) / SECTOR_SIZE)));
    const end = sectorsToBytes(Math.ceil((HEADER_SIZE + 4 * (first + count)) / SECTOR_SIZE));
    if (end <= start) continue; // in a sector that has just been written
    written = end;
    yield* image.medium.write(image.engine.batBytes.slice(start - HEADER_SIZE, end - HEADER_SIZE), start);
  }
  yield* image.medium.flush();
}
