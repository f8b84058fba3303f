/**
 * Compact: the file becomes as small as what the disk holds. Step by step, each under the locks that it needs, so that a
 * guest may go on:
 *
 *   1. clusters that hold nothing but zeros lose their entries, where nothing shows beneath them;
 *   2. where guest order is asked for, clusters move into it;
 *   3. what lies at the file's end moves into the gaps that are left;
 *   4. the file is cut behind the last cluster in use.
 *
 * What a guest reads never changes. Wherever it is cut off the disk reads as before. Where there is nothing to gain
 * nothing is written.
 */
import { DiskError } from "../errors.js";
import { exclusively } from "../mutex.js";
import { type Operation, quietly } from "../operation.js";
import { alone } from "./alone.js";
import { closeGaps, countBeyond } from "./compact-gaps.js";
import { countMisplaced, putInOrder } from "./compact-order.js";
import type { CompactSettings } from "./compact-settings.js";
import { eachZeros, freeZeros } from "./compact-zeros.js";
import { damages } from "./findings.js";
import { flush, flushTables } from "./flush.js";
import { type Image, requireOpen, requireWritable } from "./image.js";
import { clearGaps } from "./leaks.js";
import { markOpen } from "./mark.js";
import { locked } from "./range-locks.js";
import type { CompactReport } from "./reports.js";
import { trim } from "./trim.js";

/** Makes the file as small as what it holds, or only says what that would gain. */
export function* compact(image: Image, settings: CompactSettings): Operation<CompactReport> {
  if (settings.dryRun) requireOpen(image);
  else requireWritable(image);
  requireKnown(image);
  settings.work.requireWanted();
  return yield* alone(image, () => (settings.dryRun ? foresee(image, settings) : shrink(image, settings)));
}

/** What no table refers to must be free, and not what a wrong entry may have meant. */
function requireKnown(image: Image): void {
  const findings = damages(image);
  if (findings.length > 0)
    throw new DiskError("CORRUPT", `the image is damaged (${findings[0].message}): repair it before it is compacted`, {
      findings,
    });
  if (image.tables.spared > 0)
    throw new DiskError(
      "UNSUPPORTED",
      "the image was repaired as it was opened, and keeps all that it held as long as it is open: close it, open it again, and compact it then",
    );
}

function* shrink(image: Image, settings: CompactSettings): Operation<CompactReport> {
  const { medium, engine } = image;
  const fileSizeBefore = medium.size;
  if (image.marked) yield* flush(image); // what waits is in the file then, and what was given up is free
  const freeClusters = engine.end - engine.usedCount;
  const zeroClusters = yield* freeZeros(image, settings);
  if (zeroClusters > 0) yield* flush(image);
  const movedClusters = yield* rearrange(image, settings);
  if (movedClusters > 0) yield* clearGaps(image); // what guests gave up, or took, beside the moves
  yield* cut(image);
  return { fileSizeBefore, fileSizeAfter: medium.size, zeroClusters, freeClusters, movedClusters };
}

/** Moves clusters to where they are to lie; answers how many. */
function* rearrange(image: Image, settings: CompactSettings): Operation<number> {
  if (!settings.order) return yield* closeGaps(image, settings);
  try {
    const moved = yield* putInOrder(image, settings);
    return moved + (yield* closeGaps(image, settings));
  } catch (error) {
    yield* quietly(clearGaps(image)); // else places that were used again, or cut off
    throw error;
  }
}

/** Cuts the file behind the last cluster in use, while nobody else has any. */
function* cut(image: Image): Operation<void> {
  if (image.tables.end >= image.medium.size) return;
  yield* markOpen(image);
  yield* locked(image.locks, 0, Number.MAX_SAFE_INTEGER, true, () =>
    exclusively(image.flushing, function* () {
      requireOpen(image);
      yield* flushTables(image);
      yield* trim(image);
    }),
  );
}

/** What would be gained: the disk as it is, without its zeros. */
function* foresee(image: Image, settings: CompactSettings): Operation<CompactReport> {
  const { medium, engine, grid } = image;
  const zeros = new Uint8Array(Math.ceil(engine.entryCount / 8));
  let zeroClusters = 0;
  // biome-ignore lint/correctness/useYield: counting asks for nothing
  yield* eachZeros(image, settings, function* (runs) {
    for (const { cluster, count } of runs) {
      zeroClusters += count;
      for (let at = cluster; at < cluster + count; at++) zeros[at >>> 3] |= 1 << (at & 7);
    }
  });
  const stays = (cluster: number): boolean => ((zeros[cluster >>> 3] >>> (cluster & 7)) & 1) === 0;
  const used = engine.usedCount - image.heldCount;
  const left = used - zeroClusters;
  const end = left === 0 ? grid.dataStart : grid.hostOffsetOf(left);
  return {
    fileSizeBefore: medium.size,
    fileSizeAfter: Math.min(medium.size, end),
    zeroClusters,
    freeClusters: engine.end - used,
    movedClusters: settings.order ? countMisplaced(image, stays) : countBeyond(image, left, stays),
  };
}
