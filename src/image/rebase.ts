/**
 * Rebase: an overlay goes on over another base, and reads the same. Where it holds nothing and the two bases differ, the old
 * one's bytes become its own. Until that is durable it is an overlay of the old base, over which nothing has changed.
 *
 * As far as the old base reaches, each piece is done under its lock, and a guest goes on: what the image holds there it
 * keeps, as a discard over a base gives nothing up. Behind the old base's end a discard does: that part, the flush and the
 * change itself are done while requests wait.
 */
import type { AnyDevice } from "../device/block-device.js";
import { isSame, isZero } from "../device/sparse-write.js";
import { statusOf } from "../device/verbs.js";
import { forEach, type Operation, together } from "../operation.js";
import type { Work } from "../progress.js";
import { alone } from "./alone.js";
import { changing } from "./change.js";
import { flush } from "./flush.js";
import { type Image, requireOpen, requireWritable } from "./image.js";
import { withClusters } from "./lock-clusters.js";
import { piecesOf, type Range } from "./pieces.js";
import { locked } from "./range-locks.js";
import { readBase } from "./read.js";
import { store } from "./write.js";

/** What lies beneath an image; nothing is zeros. */
type Beneath = AnyDevice | undefined;

/** Guest bytes that are compared at once. */
const PIECE_SIZE = 1024 * 1024;
/** Pieces that are laid out at once. */
const MOST_PIECES = 256;

/** Has the image read the same over another base, and puts that one beneath it. */
export function* rebase(image: Image, to: Beneath, work: Work): Operation<void> {
  requireWritable(image);
  const { clusterSize, size } = image;
  const reached = Math.min(size, Math.ceil((image.base?.size ?? 0) / clusterSize) * clusterSize);
  work.expect(size);
  yield* alone(image, function* () {
    yield* eachPiece(image, to, 0, reached, work, ({ offset, length }) =>
      withClusters(image, offset, length, true, () => adopt(image, to, offset, length)),
    );
    yield* swap(image, to, function* () {
      yield* eachPiece(image, to, reached, size, work, ({ offset, length }) => adopt(image, to, offset, length));
      work.requireWanted();
      yield* flush(image);
    });
  });
}

/** Puts another base beneath the image, whatever it holds. */
export function* rebaseUnsafely(image: Image, to: Beneath): Operation<void> {
  yield* alone(image, () => swap(image, to, function* () {}));
}

function* swap(image: Image, to: Beneath, before: () => Operation<void>): Operation<void> {
  yield* locked(image.locks, 0, Number.MAX_SAFE_INTEGER, true, function* () {
    requireOpen(image);
    yield* before();
    image.base = to;
  });
}

/** Does something with the pieces of a range that the image does not hold, and that the bases may have different bytes for. */
function* eachPiece(
  image: Image,
  to: Beneath,
  start: number,
  end: number,
  work: Work,
  act: (piece: Range) => Operation<void>,
): Operation<void> {
  for (let at = start; at < end; ) {
    const begun = at;
    const pieces: Range[] = [];
    for (let passed = 0; at < end && pieces.length < MOST_PIECES && passed < 16 * MOST_PIECES; passed++) {
      const next = yield* nextPiece(image, to, at, end);
      if (next.differs) pieces.push({ offset: at, length: next.end - at });
      at = next.end;
    }
    work.requireWanted();
    const wanted = function* (piece: Range): Operation<void> {
      work.requireWanted();
      yield* act(piece);
    };
    yield* together(forEach(pieces, wanted));
    work.moved(at - begun);
  }
}

/** Where the next piece ends, in whole clusters, and whether the bases may differ in it. */
function* nextPiece(image: Image, to: Beneath, at: number, end: number): Operation<{ end: number; differs: boolean }> {
  const { clusterSize, base, size } = image;
  const [{ length, fileOffset }] = piecesOf(image, at, end - at, 1);
  if (fileOffset >= 0) return { end: at + length, differs: false };
  const zeros = Math.min(yield* zerosOf(base, at, length), yield* zerosOf(to, at, length));
  const whole = at + zeros === size ? zeros : Math.floor(zeros / clusterSize) * clusterSize;
  if (whole > 0) return { end: at + whole, differs: false };
  const most = Math.max(1, Math.floor(PIECE_SIZE / clusterSize)) * clusterSize;
  return { end: at + Math.min(length, most), differs: true };
}

/** How many bytes from an offset on are known to be zeros. */
function* zerosOf(beneath: Beneath, offset: number, length: number): Operation<number> {
  if (beneath === undefined || offset >= beneath.size) return length;
  const [run] = yield* statusOf(beneath, offset, Math.min(length, beneath.size - offset), 1);
  if (run.kind === "data") return 0;
  return run.offset + run.length === beneath.size ? length : run.length;
}

/** Makes the base's bytes the image's own, cluster by cluster, where it holds none and they differ from the other base's. */
function* adopt(image: Image, to: Beneath, offset: number, length: number): Operation<void> {
  for (const piece of piecesOf(image, offset, length)) {
    if (piece.fileOffset >= 0) continue;
    if (image.clusterSize > PIECE_SIZE) yield* adoptLarge(image, to, piece);
    else yield* adoptSmall(image, to, piece);
  }
}

/** Clusters that are read together. */
function* adoptSmall(image: Image, to: Beneath, { offset, length }: Range): Operation<void> {
  const { clusterSize } = image;
  const [old, now] = yield* readBoth(image, to, offset, length);
  const differs = (at: number) => !isSame(old.subarray(at, at + clusterSize), now.subarray(at, at + clusterSize));
  for (let at = 0; at < length; at += clusterSize) {
    const start = at;
    while (at < length && differs(at)) at += clusterSize;
    if (at > start) yield* keep(image, old.subarray(start, at), offset + start);
  }
}

/** A cluster that is read in pieces: with the first that differs all of it is copied. */
function* adoptLarge(image: Image, to: Beneath, { offset, length }: Range): Operation<void> {
  for (let at = offset; at < offset + length; at += PIECE_SIZE) {
    const [old, now] = yield* readBoth(image, to, at, Math.min(PIECE_SIZE, offset + length - at));
    if (!isSame(old, now)) return yield* keep(image, old, at);
  }
}

function* readBoth(
  { base }: Image,
  to: Beneath,
  offset: number,
  length: number,
): Operation<[Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]> {
  const both: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] = [new Uint8Array(length), new Uint8Array(length)];
  yield* readBase(base, both[0], offset);
  yield* readBase(to, both[1], offset);
  return both;
}

/** What lies around it in its clusters comes with it, as with every write. */
function keep(image: Image, bytes: Uint8Array<ArrayBuffer>, offset: number): Operation<void> {
  const source = isZero(bytes) ? bytes.length : bytes;
  return changing(image, offset, bytes.length, () => store(image, source, offset));
}
