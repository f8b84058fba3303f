/**
 * The survey of an image's tables: what the BAT refers to, what the format extension occupies, and where the grid of
 * host clusters lies. Made at opening, and again after a repair.
 */
import type { Grid } from "../engine/engine.js";
import { parseExtension } from "../format/extension.js";
import { dataStart, SECTOR_SIZE } from "../format/header.js";
import { type Image, sectorsToBytes } from "./image.js";
import type { Operation } from "./operation.js";
import { deferZeros } from "./publish.js";
import { readUpTo } from "./transfer.js";

/** Takes the BAT that the engine holds into service, for the file as long as it is now. */
export function* survey(image: Image): Operation<void> {
  const { sector, valid } = dataStart(image.header, image.fileSize);
  image.dataStart = sectorsToBytes(sector);
  image.dataStartValid = valid;
  scan(image, sector);
  // As long as the flag stands, nothing of the BAT shows.
  if (image.emptyFlag) deferZeros(image, 0, image.engine.entryCount);
  image.extensionProblem = image.header.extensionOffset === 0 ? undefined : yield* reserveExtension(image);
}

/**
 * Scans the BAT. Where a v1 header does not say where the data area begins, more than half of the entries may lie off
 * the grid that is derived for it: then they have a phase of their own (VirtualBox writes such images).
 */
function scan(image: Image, sector: number): void {
  const derived = gridAt(image, sector);
  scanWith(image, derived);
  const { header, engine, facts } = image;
  if (facts.offGrid === 0 || (header.dataOffset !== 0 && image.dataStartValid)) return;
  const first = engine.bat.find((entry) => entry >= sector && entry <= derived.lastEntry)!;
  scanWith(image, gridAt(image, sector + ((first - sector) % header.tracks)));
  if (image.facts.offGrid + image.facts.below >= facts.offGrid + facts.below) scanWith(image, derived);
}

function scanWith(image: Image, grid: Grid): void {
  image.grid = grid;
  image.facts = image.engine.scan(grid);
}

function gridAt({ header, fileSize }: Image, dataSector: number): Grid {
  const { format, tracks } = header;
  const fileSectors = Math.floor(fileSize / SECTOR_SIZE);
  const unit = format === "v1" ? 1 : tracks;
  const step = format === "v1" ? tracks : 1;
  const origin = Math.ceil(dataSector / unit);
  const maxEntry = Math.min(2 ** 32 - 1, Math.floor(Number.MAX_SAFE_INTEGER / SECTOR_SIZE / unit) - step);
  return {
    origin,
    lastEntry: Math.max(0, Math.min(Math.floor((fileSectors - tracks) / unit), maxEntry)),
    hostLimit: Math.max(0, Math.floor((maxEntry - origin) / step) + 1),
  };
}

/** Marks the clusters of the format extension and its bitmaps as used; answers why that cannot be done. */
function* reserveExtension(image: Image): Operation<string | undefined> {
  const { header, clusterSize, fileSize } = image;
  const own = reserveSector(image, header.extensionOffset);
  if (own !== undefined) return own;
  const cluster = new Uint8Array(Math.min(clusterSize, fileSize - sectorsToBytes(header.extensionOffset)));
  yield* readUpTo(image.storage, cluster, sectorsToBytes(header.extensionOffset));
  const { bitmapSectors, problem } = parseExtension(cluster);
  const problems = bitmapSectors.map((sector) => reserveSector(image, sector));
  return problem ?? problems.find((found) => found !== undefined);
}

function reserveSector(image: Image, sector: number): string | undefined {
  const { engine, clusterSize, fileSize } = image;
  const hostCluster = (sectorsToBytes(sector) / image.entryUnit - engine.origin) / engine.step;
  const inside = hostCluster >= 0 && sectorsToBytes(sector) + clusterSize <= fileSize;
  if (!inside || !Number.isInteger(hostCluster)) return `its cluster at sector ${sector} does not lie in the data area`;
  return engine.reserve(hostCluster, 1) > 0
    ? `its cluster at sector ${sector} is used by the disk's data, too`
    : undefined;
}
