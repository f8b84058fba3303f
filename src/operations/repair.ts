/**
 * Repair. What can be kept is kept: an entry whose cluster is shared or lies between clusters gets a copy of the data
 * it reads now; only an entry that leads nowhere is dropped, after header and BAT were saved.
 *
 * Every step leaves an image that the next repair can go on with, in this order, each durable before the next:
 *   1. the backup; 2. in_use; 3. the data offset - before the file grows, or a wrong one behind its end could pass for a
 *   good one; 4. the file covers a cluster that its end cuts; 5. entries that lead nowhere and a broken extension are
 *   dropped - before the file grows on, or they would lead to new clusters; 6. copies, all behind the old end of the
 *   file; 7. a BAT that is too short; 8. leaks, which no table in the file refers to any more.
 */
import { DiskError } from "../errors.js";
import { HEADER_SIZE, SECTOR_SIZE } from "../format/header.js";
import { type BadEntry, badEntries } from "./bad-entries.js";
import { inspect } from "./check.js";
import { trim } from "./close.js";
import { damages } from "./findings.js";
import { flushTables } from "./flush.js";
import { growFile } from "./grow.js";
import { clusterCountOf, fileOffsetOf, hostOffsetOf, type Image, requireOpen, requireWritable, TASK } from "./image.js";
import { freeLeaks, leakedRuns } from "./leaks.js";
import { beginChange, changeHeader } from "./mark.js";
import type { Operation } from "./operation.js";
import { defer, deferZeros } from "./publish.js";
import { locked } from "./range-locks.js";
import type { RepairLevel, RepairReport } from "./reports.js";
import { survey } from "./survey.js";
import { readFully, saveBeside, writeFully, writeZeros } from "./transfer.js";

/** Repairs an open image. */
export function* repair(image: Image, level: RepairLevel): Operation<RepairReport> {
  requireWritable(image);
  return yield* locked(image.locks, 0, Number.MAX_SAFE_INTEGER, true, () =>
    locked(image.tasks, TASK.flush, TASK.flush, true, () => mend(image, level)),
  );
}

/** The repair itself: the caller holds the locks, or nobody else has the image yet. */
export function* mend(image: Image, level: RepairLevel): Operation<RepairReport> {
  requireOpen(image);
  const before = yield* inspect(image);
  if (image.foundUnclean) {
    yield* beginChange(image);
    image.foundUnclean = false;
  }
  const backup = level === "all" && isLossy(image) ? yield* saveTables(image) : undefined;
  if (level === "all" && damages(image).length > 0) yield* mendCorruption(image);
  // Leaked clusters of a damaged image may be what a wrong entry meant: they are left alone until it is mended.
  if (before.leaks + before.corruptions > 0 && damages(image).length === 0) yield* mendLeaks(image);
  const after = yield* inspect(image);
  return { before, after, ...(backup === undefined ? {} : { backup }) };
}

function* mendCorruption(image: Image): Operation<void> {
  yield* beginChange(image);
  yield* mendDataOffset(image);
  yield* completeLastCluster(image);
  yield* dropEntries(image);
  yield* dropExtension(image);
  yield* copyEntries(image);
  yield* lengthenBat(image);
}

function* mendLeaks(image: Image): Operation<void> {
  yield* beginChange(image);
  yield* flushTables(image);
  yield* freeLeaks(image, yield* leakedRuns(image));
  yield* trim(image);
}

/** Whether mending takes something away that cannot be told from what is left. */
function isLossy({ facts, extensionProblem }: Image): boolean {
  return facts.below + facts.outside > 0 || extensionProblem !== undefined;
}

/** Saves header and BAT beside the image. */
function* saveTables(image: Image): Operation<string | Uint8Array> {
  const { storage, engine } = image;
  const tables = new Uint8Array(HEADER_SIZE + 4 * engine.entryCount);
  yield* readFully(storage, tables, 0);
  return storage.saveBeside ? yield* saveBeside(storage, "backup", tables) : tables;
}

/** Corrects the data offset. */
function* mendDataOffset(image: Image): Operation<void> {
  if (image.dataStartValid) return;
  const start = fileOffsetOf(image, image.grid.origin);
  yield* growFile(image, start, "exactly");
  yield* changeHeader(image, { dataOffset: start / SECTOR_SIZE });
  yield* survey(image);
}

/** A cluster that begins in the file and ends behind it is kept: what is missing of it becomes zeros. */
function* completeLastCluster(image: Image): Operation<void> {
  const { clusterSize, fileSize, dataStart } = image;
  let end = fileSize;
  for (const { entry, kind } of badEntries(image)) {
    const start = fileOffsetOf(image, entry);
    if (kind === "outside" && start >= dataStart && start < fileSize) end = Math.max(end, start + clusterSize);
  }
  if (end === fileSize) return;
  yield* growFile(image, end, "exactly");
  image.foundSize = end;
  image.unflushed = true;
  yield* survey(image);
}

/** Drops the entries that lead nowhere. Without them the data may be seen to begin elsewhere, and others to lead nowhere. */
function* dropEntries(image: Image): Operation<void> {
  while (image.facts.below + image.facts.outside > 0) {
    for (const { cluster, kind } of badEntries(image)) {
      if (kind === "below" || kind === "outside") image.engine.unlink(cluster, 1);
    }
    deferZeros(image, 0, image.engine.entryCount);
    yield* flushTables(image);
    yield* survey(image);
  }
}

function* dropExtension(image: Image): Operation<void> {
  if (image.extensionProblem === undefined) return;
  yield* changeHeader(image, { extensionOffset: 0 });
  yield* survey(image);
}

/** Gives every entry that shares a cluster, or lies between clusters, a cluster of its own with the same data. */
function* copyEntries(image: Image): Operation<void> {
  const { facts, engine, grid, clusterSize } = image;
  if (facts.duplicates + facts.offGrid === 0) return;
  // Nothing below the file's end is overwritten: an entry off the grid may lie in any cluster there.
  const present = Math.max(0, Math.ceil((image.fileSize - hostOffsetOf(image, 0)) / clusterSize));
  engine.reserve(0, Math.min(present, grid.hostLimit));
  const bad = badEntries(image);
  for (const entry of bad) yield* copyEntry(image, entry);
  yield* flushTables(image);
  yield* survey(image);
}

const COPY_SIZE = 1024 * 1024;

function* copyEntry(image: Image, { cluster, entry }: BadEntry): Operation<void> {
  const { engine, storage, clusterSize, grid } = image;
  const hostCluster = engine.allocate(1, 0);
  if (hostCluster >= grid.hostLimit)
    throw new DiskError("NO_SPACE", `no cluster is left for a copy of cluster ${cluster}`);
  const [from, to] = [fileOffsetOf(image, entry), hostOffsetOf(image, hostCluster)];
  yield* growFile(image, to + clusterSize);
  const buffer = new Uint8Array(Math.min(COPY_SIZE, clusterSize));
  for (let done = 0; done < clusterSize; done += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, clusterSize - done));
    yield* readFully(storage, part, from + done);
    yield* writeFully(storage, part, to + done);
  }
  image.unflushed = true;
  image.zeroFrom = Math.max(image.zeroFrom, to + clusterSize);
  engine.unlink(cluster, 1);
  engine.link(cluster, hostCluster, 1);
  defer(image, { first: cluster, count: 1, hidden: false, early: false, fileEnd: 0 });
}

/** Makes the BAT as long as the disk needs if there is room before the data. */
function* lengthenBat(image: Image): Operation<void> {
  const { header, engine, storage } = image;
  const needed = clusterCountOf(image);
  const end = HEADER_SIZE + 4 * needed;
  if (needed <= engine.entryCount || end > image.dataStart) return;
  const batEnd = HEADER_SIZE + 4 * header.batEntries;
  yield* writeZeros(storage, batEnd, end - batEnd);
  image.unflushed = true;
  yield* flushTables(image);
  yield* changeHeader(image, { batEntries: needed });
}
