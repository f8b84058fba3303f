/** Block status: what lies where. */
import { quote } from "../printable.js";
import { extentsOf } from "./extents.js";
import { type Image, requireRange } from "./image.js";

/** A run of guest bytes of one kind. */
export type BlockStatus = DataStatus | EmptyStatus;

export interface DataStatus {
  /** First byte on the disk. */
  offset: number;
  /** In bytes. */
  length: number;
  /** The image itself holds these bytes. */
  kind: "data";
  /** Where they lie in the file, in bytes; what was written since the last flush may not be there yet. */
  fileOffset: number;
}

export interface EmptyStatus {
  offset: number;
  length: number;
  /** Not allocated here: reads as zeros, or as what the base holds there. */
  kind: "zero" | "base";
}

/** The runs of a range, in order, coalesced, or the first `limit` of them. Asks the engine only; nothing is read. */
export function blockStatus(
  image: Image,
  offset: number,
  length: number,
  limit = Number.MAX_SAFE_INTEGER,
): BlockStatus[] {
  requireRange(image, offset, length);
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new RangeError(`limit: expected a number of runs, at least 1, got ${quote(limit)}`);
  const runs = extentsOf(image, offset, length, limit).flatMap(({ fileOffset, ...range }): BlockStatus[] =>
    fileOffset >= 0 ? [{ ...range, kind: "data", fileOffset }] : emptyStatus(image, range.offset, range.length),
  );
  return runs.length > limit ? runs.slice(0, limit) : runs;
}

function emptyStatus(image: Image, offset: number, length: number): BlockStatus[] {
  const fromBase = Math.max(0, Math.min(length, (image.base?.size ?? 0) - offset));
  const runs: BlockStatus[] = [
    { offset, length: fromBase, kind: "base" },
    { offset: offset + fromBase, length: length - fromBase, kind: "zero" },
  ];
  return runs.filter((run) => run.length > 0);
}
