/**
 * A longer BAT, in the room before the data: what lies there becomes zeros, durably, before the header shows that it is the
 * BAT. A BAT that is longer than the disk needs is no damage, so that wherever this is cut off there is nothing to mend.
 */
import { HEADER_SIZE, SECTOR_SIZE } from "../format/header.js";
import type { Operation } from "../operation.js";
import { eachData, pieceScanner } from "./copies.js";
import { flushTables } from "./flush.js";
import type { Image } from "./image.js";
import { changeHeader } from "./mark.js";
import { survey } from "./survey.js";
import { growFile } from "./trim.js";

/** Where the BAT ends in the file, in bytes. */
export const batEnd = (entryCount: number): number => HEADER_SIZE + 4 * entryCount;

/**
 * Makes the BAT longer; the caller has the disk to itself, and keeps others from flushing.
 * @param first the host cluster that is to be the data area's first: no cluster before it is in use
 */
export function* lengthenBat(image: Image, entryCount: number, first = 0): Operation<void> {
  const { engine, grid } = image;
  const start = grid.hostOffsetOf(first);
  yield* growFile(image, start, "sparse");
  yield* writeOverData(image, batEnd(engine.entryCount), batEnd(entryCount));
  yield* flushTables(image);
  yield* changeHeader(image, { batEntries: entryCount, dataOffset: dataOffsetFor(image, entryCount, start) });
  yield* survey(image);
  engine.grow(entryCount);
}

/**
 * What the header is to say of where the data begins, at `start`, with a BAT of another length. In v1 it may say nothing
 * only where that is derived to be the same.
 */
export function dataOffsetFor({ header, grid }: Image, entryCount: number, start: number): number {
  const derived = Math.ceil(batEnd(entryCount) / SECTOR_SIZE) * SECTOR_SIZE;
  return header.dataOffset === 0 && start === grid.dataStart && start === derived ? 0 : start / SECTOR_SIZE;
}

/** Makes a range of the file read as zeros; what does so already is not written. */
export function* writeOverData(image: Image, from: number, end: number): Operation<void> {
  const { medium } = image;
  const scanner = pieceScanner(image);
  yield* eachData(medium, from, end, scanner, (bytes, at) => medium.writeZeros(at, bytes.length));
  scanner.release();
}
