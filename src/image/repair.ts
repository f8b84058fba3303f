/**
 * Repair. What can be kept is kept: an entry whose cluster is shared or lies between clusters gets a copy of the data
 * it reads now; only an entry that leads nowhere, or that no guest can read, is dropped, after header and BAT were saved.
 *
 * Every step leaves an image that the next repair can go on with, in this order, each durable before the next:
 *   1. the backup; 2. in_use; 3. the data offset - before the file grows, or a wrong one behind its end could pass for a
 *   good one; 4. the file covers a cluster that its end cuts; 5. entries that lead nowhere and a broken extension are
 *   dropped - before the file grows on, or they would lead to new clusters; 6. copies, all behind the old end of the
 *   file; 7. the data offset of v1, said again; 8. a BAT that is too short.
 *
 * What no table refers to after that may be what a wrong entry meant. So a run that mends damage frees nothing: it spares
 * all that the file held, for as long as the disk is open, and names it. Another run, of an image without damage, frees
 * it: what is lossy takes two steps, and before the second there is something to undo.
 */
import { HEADER_SIZE, SECTOR_SIZE } from "../format/header.js";
import { readUpTo } from "../medium/transfer.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import { quote } from "../printable.js";
import { badEntries } from "./bad-entries.js";
import { noteChange } from "./change.js";
import { inspect } from "./check.js";
import { copyEntry, eachData, pieceScanner } from "./copies.js";
import { badSections, problemOf } from "./extension.js";
import { replaceExtension } from "./extension-write.js";
import { damages } from "./findings.js";
import { flushTables } from "./flush.js";
import { type Image, requireOpen, requireWritable } from "./image.js";
import { freeLeaks } from "./leaks.js";
import { lengthenBat } from "./lengthen-bat.js";
import { changeHeader, markOpen } from "./mark.js";
import { deferZeros } from "./publish.js";
import { locked } from "./range-locks.js";
import { isWorthless, type Plan, planOf, startOf } from "./repair-plan.js";
import type { RepairLevel, RepairReport } from "./reports.js";
import { survey } from "./survey.js";
import { growFile, trim } from "./trim.js";

/** @throws RangeError */
export function requireLevel(level: RepairLevel): void {
  if (level !== "leaks" && level !== "all")
    throw new RangeError(`level: expected "leaks" or "all", got ${quote(level)}`);
}

/** Repairs an open image. */
export function* repair(image: Image, level: RepairLevel): Operation<RepairReport> {
  requireWritable(image);
  requireLevel(level);
  return yield* locked(image.locks, 0, Number.MAX_SAFE_INTEGER, true, () =>
    exclusively(image.flushing, () => mend(image, level)),
  );
}

/** The repair itself: the caller holds the locks, or nobody else has the image yet. */
export function* mend(image: Image, level: RepairLevel): Operation<RepairReport> {
  requireOpen(image);
  const before = yield* inspect(image);
  const plan = level === "all" && damages(image).length > 0 ? planOf(image) : undefined;
  if (plan !== undefined) yield* spare(image);
  const lossy = plan !== undefined && (plan.lossy || (yield* hidesEntries(image)));
  const backup = lossy ? yield* saveTables(image, plan) : undefined;
  if (image.foundUnclean) {
    yield* markOpen(image);
    image.foundUnclean = false;
  }
  if (plan !== undefined) yield* mendDamage(image, plan);
  if (image.tables.spared === 0 && before.leaks > 0 && damages(image).length === 0) yield* mendLeaks(image);
  const after = yield* inspect(image);
  return { before, after, ...(backup === undefined ? {} : { backup }) };
}

function* mendDamage(image: Image, plan: Plan): Operation<void> {
  yield* markOpen(image);
  yield* mendDataOffset(image);
  yield* completeCluster(image, plan);
  yield* dropEntries(image, plan);
  yield* dropExtension(image);
  yield* copyEntries(image, plan);
  yield* sayDataOffset(image, plan);
  yield* mendBat(image, plan);
}

function* mendLeaks(image: Image): Operation<void> {
  yield* markOpen(image);
  yield* flushTables(image);
  yield* freeLeaks(image);
  yield* trim(image);
}

/** Leaves alone, from here on, whatever the file holds and nothing refers to. */
function* spare(image: Image): Operation<void> {
  image.tables.spared = Math.max(image.tables.spared, image.medium.size);
  yield* survey(image);
}

/** Whether the empty flag hides a BAT that is not empty: in a damaged image the flag may be what is wrong. */
function* hidesEntries(image: Image): Operation<boolean> {
  if (!image.tables.emptyFlag) return false;
  let found = false;
  const end = HEADER_SIZE + 4 * image.engine.entryCount;
  yield* eachData(image.medium, HEADER_SIZE, end, pieceScanner(image), () => {
    found = true;
    return nothing();
  });
  return found;
}

function* nothing(): Operation<void> {}

/** Saves header and BAT beside the image, and what lies where the BAT is going to be longer. */
function* saveTables({ medium }: Image, plan: Plan): Operation<string | Uint8Array> {
  const tables = new Uint8Array(HEADER_SIZE + 4 * plan.entryCount);
  yield* readUpTo(medium.storage, tables, 0);
  return yield* medium.saveBeside("backup", tables);
}

/** Corrects the data offset: that of v1 to "where the BAT ends", by which whatever lies behind the BAT can be read. */
function* mendDataOffset(image: Image): Operation<void> {
  if (image.grid.dataStartValid) return;
  const start = startOf(image);
  if (image.header.format === "v2") yield* growFile(image, start, "sparse");
  yield* changeHeader(image, { dataOffset: image.header.format === "v2" ? start / SECTOR_SIZE : 0 });
  yield* survey(image);
}

/** A cluster that begins in the file and ends behind it is kept: what is missing of it becomes zeros. */
function* completeCluster(image: Image, { wholeSize }: Plan): Operation<void> {
  if (wholeSize <= image.medium.size) return;
  yield* growFile(image, wholeSize, "sparse");
  image.medium.foundSize = wholeSize;
  yield* spare(image); // the copy of another entry must not come to lie in what was added
}

/** Drops the entries that nobody can read. */
function* dropEntries(image: Image, { drops }: Plan): Operation<void> {
  if (drops === 0) return;
  for (const bad of badEntries(image)) {
    if (!isWorthless(image, bad)) continue;
    image.engine.unlink(bad.cluster, 1);
    noteChange(image, bad.cluster * image.clusterSize, image.clusterSize);
  }
  deferZeros(image, 0, image.engine.entryCount);
  yield* flushTables(image);
  yield* survey(image);
}

/** Drops what cannot be believed: all of the extension, or sections of it. Clusters of theirs are left alone. */
function* dropExtension(image: Image): Operation<void> {
  const { extension } = image.tables;
  if (extension === undefined) return;
  const bad = badSections(extension);
  if (problemOf(extension) !== undefined) yield* changeHeader(image, { extensionOffset: 0 });
  else if (bad.length === 0) return;
  else {
    extension.sections = extension.sections.filter((section) => !bad.includes(section));
    yield* replaceExtension(image, extension.sections);
  }
  yield* survey(image);
}

/** Gives every entry that shares a cluster, or lies between clusters, a cluster of its own with the same data. */
function* copyEntries(image: Image, { copies, foundSize }: Plan): Operation<void> {
  if (copies === 0) return;
  const scanner = pieceScanner(image);
  for (const bad of badEntries(image)) yield* copyEntry(image, bad, foundSize, scanner);
  scanner.release();
  yield* flushTables(image);
  yield* survey(image);
}

/** Where the data of v1 begins is said again once none of it lies before its first cluster. */
function* sayDataOffset(image: Image, { offsetWrong }: Plan): Operation<void> {
  if (!offsetWrong || image.header.format === "v2") return;
  yield* growFile(image, startOf(image), "sparse");
  yield* changeHeader(image, { dataOffset: startOf(image) / SECTOR_SIZE });
  yield* survey(image);
}

/** Makes the BAT as long as the disk needs, in the room before the data. */
function* mendBat(image: Image, { entryCount }: Plan): Operation<void> {
  if (entryCount > image.engine.entryCount) yield* lengthenBat(image, entryCount);
}
