/**
 * Commit: what an overlay itself holds goes into its base. Window by window, each under its lock, so that a guest may go on:
 *
 *   1. the window's bytes are written to the base, over which the overlay's own still show;
 *   2. the base is flushed;
 *   3. the overlay's clusters are given up, in the order of a discard: the base shows there, and reads the same.
 *
 * Wherever that is cut off the overlay over the base reads as before. The base alone is whole at the end only.
 */
import { counted } from "../count.js";
import type { AnyDevice } from "../device/block-device.js";
import { flushDevice, isZero, writeSparsely } from "../device/sparse-write.js";
import { DiskError, requestError } from "../errors.js";
import { call, forEach, type Operation, together } from "../operation.js";
import type { Work } from "../progress.js";
import { alone } from "./alone.js";
import { uncover } from "./discard.js";
import { flush } from "./flush.js";
import { type Image, requireOpen, requireWritable } from "./image.js";
import { withClusters } from "./lock-clusters.js";
import { pieceBatches, piecesOf, type Range } from "./pieces.js";
import { readLocked } from "./read.js";

export interface CommitSettings {
  /** The overlay keeps its clusters. */
  readonly keep: boolean;
  readonly work: Work;
  /** Guest bytes that are committed, and waited for, at once: each window costs a flush of the base. */
  readonly windowSize: number;
}

export const WINDOW_SIZE = 64 * 1024 * 1024;
/** Runs of clusters in a window at most: they are in memory while it is laid out. */
const WINDOW_RUNS = 16 * 1024;
/** Guest bytes that are copied in one piece. */
const PIECE_SIZE = 1024 * 1024;

export function* commit(image: Image, settings: CommitSettings): Operation<void> {
  const { keep, work, windowSize } = settings;
  if (keep) requireOpen(image);
  else requireWritable(image);
  const base = baseToWrite(image);
  yield* alone(image, function* () {
    work.expect(image.engine.allocatedCount * image.clusterSize);
    yield* makeRoom(image, base, work);
    for (const window of windowsOf(image, windowSize)) {
      const { offset, length } = window;
      yield* withClusters(image, offset, length, !keep, () => commitWindow(image, base, window, settings));
    }
    yield* flushDevice(base);
    if (!keep) yield* flush(image);
  });
}

function baseToWrite({ base }: Image): AnyDevice {
  if (base === undefined) throw new TypeError("overlay: expected a disk that was opened with a base, got one without");
  if (base.readOnly || base.write === undefined)
    throw new DiskError("READ_ONLY", "the base is open for reading only: open it for writing to commit to it");
  if (base.flush === undefined)
    throw new DiskError(
      "UNSUPPORTED",
      "the base cannot be made durable, as it has no flush: nothing is committed to it",
    );
  return base;
}

/** Lets the base reach as far as the overlay. One that cannot grow (several joined, a bundle) does where zeros follow its end. */
function* makeRoom(image: Image, base: AnyDevice, work: Work): Operation<void> {
  if (image.size <= base.size) return;
  if (base.resize !== undefined) {
    try {
      return yield* call<void>(() => base.resize?.(image.size));
    } catch (error) {
      throw requestError(`giving the base the overlay's ${counted(image.size, "byte")}`, error);
    }
  }
  const start = Math.floor(base.size / image.clusterSize) * image.clusterSize;
  for (const { offset, length } of heldRanges(image, start, image.size - start)) {
    work.requireWanted();
    const bytes = new Uint8Array(length);
    yield* withClusters(image, offset, length, false, () => readLocked(image, bytes, offset));
    requireFitting(base, bytes, offset);
  }
}

/** The windows of what the overlay holds, each laid out when the one before is done with. */
function* windowsOf(image: Image, windowSize: number): Generator<Range, void, void> {
  for (let at = 0; at < image.size; ) {
    let [start, end, held] = [-1, at, 0];
    for (const piece of piecesOf(image, at, image.size - at, WINDOW_RUNS)) {
      const isHeld = piece.fileOffset >= 0;
      const most = Math.max(1, Math.floor((windowSize - held) / image.clusterSize)) * image.clusterSize;
      end = piece.offset + (isHeld ? Math.min(piece.length, most) : piece.length);
      if (!isHeld) continue;
      if (start < 0) start = piece.offset;
      held += end - piece.offset;
      if (held >= windowSize || end < piece.offset + piece.length) break;
    }
    if (start >= 0) yield { offset: start, length: end - start };
    at = end;
  }
}

function* commitWindow(image: Image, base: AnyDevice, window: Range, { keep, work }: CommitSettings): Operation<void> {
  const { offset, length } = window;
  const commitPiece = function* (piece: Range): Operation<void> {
    work.requireWanted();
    const bytes = new Uint8Array(piece.length);
    yield* readLocked(image, bytes, piece.offset);
    requireFitting(base, bytes, piece.offset);
    yield* writeSparsely(base, bytes.subarray(0, Math.max(0, base.size - piece.offset)), piece.offset);
    work.moved(piece.length);
  };
  yield* together(forEach(heldRanges(image, offset, length), commitPiece));
  work.requireWanted();
  if (keep) return;
  yield* flushDevice(base);
  yield* uncover(image, offset, length);
}

/** What the overlay holds of a range, piece by piece. */
function* heldRanges(image: Image, offset: number, length: number): Generator<Range, void, void> {
  for (const batch of pieceBatches(image, offset, length)) {
    for (const piece of batch) {
      if (piece.fileOffset < 0) continue;
      const end = piece.offset + piece.length;
      for (let at = piece.offset; at < end; at += PIECE_SIZE)
        yield { offset: at, length: Math.min(PIECE_SIZE, end - at) };
    }
  }
}

/** What lies behind the base's end must be what is read there: zeros. */
function requireFitting(base: AnyDevice, bytes: Uint8Array<ArrayBuffer>, offset: number): void {
  const beyond = bytes.subarray(Math.max(0, base.size - offset));
  if (isZero(beyond)) return;
  const at = Math.max(offset, base.size);
  throw new DiskError(
    "UNSUPPORTED",
    `the base ends at byte ${base.size} and cannot grow, and the overlay holds data beyond, in the ${counted(beyond.length, "byte")} from ${at}: convert both to a new, larger disk instead ("parablock convert OVERLAY NEW --base BASE")`,
    { baseSize: base.size, offset: at },
  );
}
