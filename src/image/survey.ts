/**
 * The survey of an image's tables: what the BAT refers to, what the format extension occupies, and where the grid of
 * host clusters lies. Made at opening, and again after a repair.
 */
import type { Grid } from "../engine/engine.js";
import { dataStart, SECTOR_SIZE } from "../format/header.js";
import type { Operation } from "../operation.js";
import { misplaced } from "./bad-entries.js";
import { findExtension, reserveExtension } from "./extension.js";
import { type Image, sectorsToBytes } from "./image.js";
import { phaseOf } from "./phase.js";

/** Takes the BAT that the engine holds into service, for the file as long as it is now. */
export function* survey(image: Image): Operation<void> {
  const { sector, valid } = dataStart(image.header, image.fileSize);
  image.dataStart = sectorsToBytes(sector);
  image.dataStartValid = valid;
  const extension = image.header.extensionOffset === 0 ? undefined : yield* findExtension(image);
  scan(image, sector, extension?.sectors ?? []);
  image.extensionProblem = extension && reserveExtension(image, extension);
}

/** Scans the BAT. Where a v1 header does not say where the data area begins, its clusters may have a phase of their own. */
function scan(image: Image, sector: number, extension: readonly number[]): void {
  const { header } = image;
  const derived = header.format === "v1" && (header.dataOffset === 0 || !image.dataStartValid);
  scanWith(image, gridAt(image, derived ? sector + (image.phase ?? 0) : sector));
  if (!derived || image.phase !== undefined) return;
  const inPhase =
    image.facts.offGrid + image.facts.outside === 0 && extension.every((at) => (at - sector) % header.tracks === 0);
  // Kept from here on: what a repair or a writer does to the entries does not move the grid under them.
  image.phase = inPhase ? 0 : phaseOf(image, sector, extension);
  if (image.phase > 0) scanWith(image, gridAt(image, sector + image.phase));
}

function scanWith(image: Image, grid: Grid): void {
  image.grid = grid;
  image.facts = image.engine.scan(grid);
  if (image.facts.below === 0 || image.phase === undefined || image.phase === 0) return;
  // The engine counts from the first cluster, but the data area begins before: what lies between is not below it.
  image.facts.below = 0;
  const { bat } = image.engine;
  for (let cluster = 0; cluster < bat.length; cluster++) {
    const entry = bat[cluster]!;
    if (entry !== 0 && entry < grid.origin) image.facts[misplaced(image, entry)!]++;
  }
}

function gridAt(image: Image, dataSector: number): Grid {
  const { format, tracks } = image.header;
  const unit = format === "v1" ? 1 : tracks;
  const step = format === "v1" ? tracks : 1;
  const origin = Math.ceil(dataSector / unit);
  const hostLimit = Math.max(0, Math.floor((maxEntryOf(image) - origin) / step) + 1);
  const spared = Math.ceil((image.spared - origin * image.entryUnit) / image.clusterSize);
  return {
    origin,
    lastEntry: lastEntryOf(image, image.fileSize),
    hostLimit,
    floor: Math.min(Math.max(0, spared), hostLimit),
  };
}

/** The highest entry whose cluster lies wholly in a file of that size. */
export function lastEntryOf(image: Image, fileSize: number): number {
  const { format, tracks } = image.header;
  const last = Math.floor((Math.floor(fileSize / SECTOR_SIZE) - tracks) / (format === "v1" ? 1 : tracks));
  return Math.max(0, Math.min(last, maxEntryOf(image)));
}

/** The highest entry that 32 bits and exact numbers allow. */
function maxEntryOf({ header: { format, tracks } }: Image): number {
  const [unit, step] = format === "v1" ? [1, tracks] : [tracks, 1];
  return Math.min(2 ** 32 - 1, Math.floor(Number.MAX_SAFE_INTEGER / SECTOR_SIZE / unit) - step);
}
