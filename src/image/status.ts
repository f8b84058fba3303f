/** Status: what lies where, and in which layer. Asks the tables only; nothing is read. */
import { type Extent, STATUS_LIMIT } from "../device/block-device.js";
import { appendRun, statusOf } from "../device/verbs.js";
import type { Operation } from "../operation.js";
import { requireLimit } from "../requests.js";
import { type Image, requireRequest } from "./image.js";
import { type Piece, piecesOf } from "./pieces.js";

/** The runs of a range, in order, coalesced, or those of its beginning. */
export function* status(
  image: Image,
  offset = 0,
  length = image.size - offset,
  limit = STATUS_LIMIT,
): Operation<Extent[]> {
  requireRequest(image, offset, length);
  requireLimit(limit);
  const runs: Extent[] = [];
  for (const piece of piecesOf(image, offset, length, limit)) {
    // Pieces are maximal, and nothing beneath continues one of the image's own.
    if (piece.fileOffset >= 0) runs.push(dataRun(piece));
    else if (!(yield* appendBeneath(image, piece, limit, runs))) break;
    if (runs.length >= limit) break;
  }
  return runs.length > limit ? runs.slice(0, limit) : runs;
}

/** All of one shape: a disk may have millions. */
function dataRun({ offset, length, fileOffset }: Piece): Extent {
  return { offset, length, kind: "data", layer: 0, fileOffset };
}

/** Adds what the base says of a range, then zeros behind its end; answers whether all of the range has been told. */
function* appendBeneath(
  { base }: Image,
  { offset, length }: { offset: number; length: number },
  limit: number,
  runs: Extent[],
): Operation<boolean> {
  const covered = base === undefined ? 0 : Math.max(0, Math.min(length, base.size - offset));
  let at = offset;
  if (base !== undefined && covered > 0) {
    for (const run of yield* statusOf(base, offset, covered, limit)) {
      appendRun(runs, { ...run, layer: run.layer + 1 });
      at = run.offset + run.length;
    }
  }
  if (at < offset + covered) return false;
  if (covered < length) appendRun(runs, { offset: at, length: length - covered, kind: "zero", layer: 0 });
  return true;
}
