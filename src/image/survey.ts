/**
 * The survey of an image's tables: what the BAT refers to, what the format extension occupies, and where the grid of
 * host clusters lies. Made at opening, and again after a repair.
 */
import type { Operation } from "../operation.js";
import { misplaced } from "./bad-entries.js";
import { track } from "./bitmap-marks.js";
import { isContested, votes } from "./data-offset.js";
import { type Extension, readExtension, reserveExtension, reserveSector, sectorsOf } from "./extension.js";
import { Grid } from "./grid.js";
import type { Image } from "./image.js";
import { phaseOf } from "./phase.js";

/** Takes the BAT that the engine holds into service, for the file as long as it is now. Where that fails all stays as it was. */
export function* survey(image: Image): Operation<void> {
  const { tables } = image;
  yield* look(image);
  if (tables.vote === undefined && isContested(image)) yield* holdVote(image);
  if (tables.extension) reserveExtension(image, tables.extension);
  for (const sector of tables.doubtful) reserveSector(image, sector);
  track(image);
}

function* look(image: Image): Operation<void> {
  const { tables } = image;
  const { grid } = tables;
  tables.grid = gridWith(image, tables.phase);
  try {
    tables.extension = yield* extensionOf(image);
  } catch (error) {
    tables.grid = grid; // the engine has it
    throw error;
  }
  scan(image, tables.extension ? [...sectorsOf(tables.extension)] : []);
}

/** The extension as it is in memory, once it was read: the file may be behind. */
function* extensionOf(image: Image): Operation<Extension | undefined> {
  const { extensionOffset } = image.header;
  const { extension } = image.tables;
  if (extensionOffset === 0) return undefined;
  return extension?.read && extension.sector === extensionOffset ? extension : yield* readExtension(image);
}

/** Looks at the image without its data offset, too, and goes on with what more clusters bear out. */
function* holdVote(image: Image): Operation<void> {
  const { tables, header } = image;
  const vote = { dataOffset: header.dataOffset, below: 0, above: votes(image, tables.extension), outvoted: true };
  tables.vote = vote;
  yield* look(image);
  vote.below = votes(image, tables.extension, vote.dataOffset);
  vote.outvoted = vote.below > vote.above;
  if (vote.outvoted) return;
  tables.phase = undefined;
  yield* look(image);
}

/** Scans the BAT. Where a v1 header does not say where the data area begins, its clusters may have a phase of their own. */
function scan(image: Image, extension: readonly number[]): void {
  const { tables, header } = image;
  scanWith(image, tables.grid);
  const { dataSector, isDerived } = tables.grid;
  if (!isDerived || tables.phase !== undefined) return;
  const inPhase =
    tables.facts.offGrid + tables.facts.outside === 0 &&
    extension.every((at) => (at - dataSector) % header.tracks === 0);
  // Kept from here on: what a repair or a writer does to the entries does not move the grid under them.
  tables.phase = inPhase ? 0 : phaseOf(image, dataSector, extension);
  if (tables.phase > 0) scanWith(image, gridWith(image, tables.phase));
}

function scanWith({ tables, engine }: Image, grid: Grid): void {
  tables.grid = grid;
  tables.facts = engine.scan(grid);
  if (tables.facts.below === 0 || !tables.phase) return;
  // The engine counts from the first cluster, but the data area begins before: what lies between is not below it.
  tables.facts.below = 0;
  const { bat } = engine;
  for (let cluster = 0; cluster < bat.length; cluster++) {
    const entry = bat[cluster];
    const kind = entry !== 0 && entry < grid.origin ? misplaced(grid, entry) : undefined;
    if (kind !== undefined) tables.facts[kind]++;
  }
}

function gridWith({ header, medium, tables }: Image, phase = 0): Grid {
  const { vote, spared } = tables;
  return new Grid(header, medium.size, phase, spared, vote?.outvoted ? vote.dataOffset : undefined);
}
