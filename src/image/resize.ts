/**
 * Resize: the disk ends elsewhere. What is added reads as zeros, whatever lay there; what is cut off is gone. In this order,
 * each durable before the next:
 *   1. the BAT is long enough, at a place that was made free for it (make-way.ts, lengthen-bat.ts);
 *   2. what is to be added reads as zeros, still behind the disk's end;
 *   3. one write of the header: the new size, and the BAT as long as that needs;
 *   4. what lies behind the new end is given back. Cut off before it, the image holds leaks; the next growth does 2.
 *
 * Until 3 is durable the disk has its old size and content, and goes on so where something fails.
 */
import { createEngine } from "../engine/create.js";
import type { Engine } from "../engine/engine.js";
import { CallerMistake, DiskError } from "../errors.js";
import { geometryOf } from "../format/geometry.js";
import { SECTOR_SIZE } from "../format/header.js";
import { exclusively } from "../mutex.js";
import { forEach, type Operation, quietly, together } from "../operation.js";
import { alone } from "./alone.js";
import { noteChange } from "./change.js";
import { changeTables } from "./change-tables.js";
import { requireCreatable } from "./create.js";
import { clearLocked } from "./discard.js";
import { damages } from "./findings.js";
import { flushTables } from "./flush.js";
import { guestRuns } from "./guest-runs.js";
import { type HostRun, type Image, requireOpen, requireWritable } from "./image.js";
import { batEnd, dataOffsetFor, lengthenBat, writeOverData } from "./lengthen-bat.js";
import { makeWay } from "./make-way.js";
import { markOpen } from "./mark.js";
import { locked } from "./range-locks.js";
import { clearClusters } from "./release.js";
import { survey } from "./survey.js";
import { growFile, trim } from "./trim.js";

/** Gives the disk another size, in bytes. Requests that wait meanwhile are held against the new one. */
export function* resize(image: Image, size: number): Operation<void> {
  requireWritable(image);
  requireCreatable({ size, clusterSize: image.clusterSize, format: image.header.format });
  yield* alone(image, () =>
    locked(image.locks, 0, Number.MAX_SAFE_INTEGER, true, function* () {
      requireOpen(image);
      if (size !== image.size) yield* change(image, size);
    }),
  );
}

/** The caller has the disk to itself; others may flush it. */
function* change(image: Image, size: number): Operation<void> {
  requireSound(image);
  const before = image.size;
  yield* markOpen(image);
  try {
    yield* exclusively(image.flushing, () => makeRoom(image, clustersOf(image, size)));
    if (size > before) yield* clearBehind(image, before, size);
    yield* exclusively(image.flushing, () => setEnd(image, size));
  } catch (error) {
    // What was prepared is given back, and the header said again: the file may have the one that failed.
    if (image.size === before) yield* quietly(exclusively(image.flushing, () => setEnd(image, before)));
    throw error;
  }
  noteChange(image, Math.min(before, size), Math.abs(size - before));
}

const clustersOf = ({ clusterSize }: Image, size: number): number => Math.ceil(size / clusterSize);

/** What nobody understands must not be built upon. */
function requireSound(image: Image): void {
  const findings = damages(image);
  if (findings.length === 0 && image.tables.spared === 0) return;
  throw new DiskError(
    "CORRUPT",
    "the image was damaged when it was opened, so it is not resized: close the disk and open it again",
    { findings },
  );
}

/** Makes the BAT long enough. */
function* makeRoom(image: Image, entryCount: number): Operation<void> {
  const { engine, grid, clusterSize } = image;
  if (entryCount <= engine.entryCount) return;
  const inTheWay = Math.max(0, Math.ceil((batEnd(entryCount) - grid.hostOffsetOf(0)) / clusterSize));
  if (inTheWay > 0) yield* makeWay(image, inTheWay);
  yield* lengthenBat(image, entryCount, inTheWay);
}

/** Has whole clusters behind the disk's end, and the rest of its last one, read as zeros. */
function clearBehind(image: Image, from: number, size: number): Operation<void> {
  return clearLocked(image, from, clustersOf(image, size) * image.clusterSize - from);
}

/** Lets the disk end at `size`, where all is ready for that. The caller keeps others from flushing. */
function* setEnd(image: Image, size: number): Operation<void> {
  const { tables, grid } = image;
  const { engine } = tables;
  const batEntries = clustersOf(image, size);
  const shorter = batEntries < engine.entryCount ? shortened(engine, batEntries) : undefined;
  const start = grid.hostOffsetOf(0);
  yield* growFile(image, start, "sparse");
  yield* flushTables(image);
  const { heads, cylinders } = geometryOf(size / SECTOR_SIZE);
  const dataOffset = dataOffsetFor(image, batEntries, start);
  yield* changeTables(image, { sectorCount: size / SECTOR_SIZE, heads, cylinders, batEntries, dataOffset });
  tables.engine = shorter ?? engine;
  try {
    yield* survey(image);
  } catch (error) {
    tables.engine = engine; // it knows too much, which does no harm
    throw error;
  }
  if (shorter !== undefined) for (const step of givingBack(image, engine)) yield* economise(step);
}

/** An engine with the beginning of the BAT. */
function shortened(engine: Engine, entryCount: number): Engine {
  const { kind, fallback, step } = engine;
  const shorter = createEngine(fallback === undefined ? kind : undefined, entryCount, step);
  const { bat } = engine;
  // What is 0 is memory that nobody touched yet: it is not written.
  for (let cluster = 0; cluster < entryCount; cluster++) if (bat[cluster] !== 0) shorter.bat[cluster] = bat[cluster];
  return shorter;
}

/** Gives back what lay behind the disk's end, and has nothing of it read as data where the disk grows again, by whatever software. */
function* givingBack(image: Image, old: Engine): Iterable<Operation<void>> {
  const { engine, size, clusterSize, medium, grid } = image;
  const last = engine.entryCount - 1;
  const kept = size - last * clusterSize;
  const entry = last < 0 ? 0 : engine.bat[last];
  if (entry !== 0) yield medium.writeZeros(grid.fileOffsetOf(entry) + kept, clusterSize - kept);
  yield writeOverData(image, batEnd(engine.entryCount), batEnd(old.entryCount));
  yield trim(image);
  yield together(forEach(runsFrom(image, old, engine.entryCount), (run) => clearClusters(image, run)));
}

/** The host clusters of a BAT's end that still lie in the file, neighbours as one run. */
function* runsFrom({ engine: { end }, grid }: Image, old: Engine, first: number): Iterable<HostRun> {
  for (const { host, count } of guestRuns({ engine: old, grid }, { first, last: old.entryCount - 1 }))
    if (host < end) yield { first: host, count };
}

/** Does what may fail: it costs space, no more. */
function* economise(step: Operation<void>): Operation<void> {
  try {
    yield* step;
  } catch (error) {
    if (error instanceof CallerMistake) throw error; // a promise: it may write at any later time
  }
}
