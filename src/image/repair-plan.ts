/**
 * What a repair is going to do, reckoned before it does anything: one that cannot be carried through, or that would make
 * the file grow beyond what its data can need, is refused while the image is still as it was found.
 */
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { HEADER_SIZE, MAX_BAT_ENTRIES } from "../format/header.js";
import { type BadEntry, badEntries } from "./bad-entries.js";
import { badSections, problemOf } from "./extension.js";
import { damages } from "./findings.js";
import type { Image } from "./image.js";

export interface Plan {
  /** The file's length as it was found. */
  foundSize: number;
  /** Its length at which no cluster is cut that can be read in part. */
  wholeSize: number;
  /** Entries to drop, and entries that get clusters of their own. */
  drops: number;
  copies: number;
  /** How many entries the BAT is going to have. */
  entryCount: number;
  offsetWrong: boolean;
  /** Whether something is taken away that cannot be told from what is left. */
  lossy: boolean;
}

/** @throws DiskError CORRUPT, TOO_LARGE where the image cannot be repaired */
export function planOf(image: Image): Plan {
  const { engine, grid, tables } = image;
  const { facts, extension } = tables;
  const dropsExtension = problemOf(extension) !== undefined || badSections(extension).length > 0;
  const wholeSize = wholeSizeOf(image);
  let [drops, copies] = [0, 0];
  for (const bad of badEntries(image, grid.lastEntryIn(wholeSize))) {
    if (isWorthless(image, bad)) drops++;
    else copies++;
  }
  const entryCount = Math.max(engine.entryCount, tables.clusterCount);
  // Behind a BAT that is too short there may be the rest of the right one.
  const lossy = drops + facts.below + facts.outside > 0 || dropsExtension || entryCount > engine.entryCount;
  const foundSize = image.medium.size;
  const plan = { foundSize, wholeSize, drops, copies, entryCount, offsetWrong: !grid.dataStartValid, lossy };
  requireKnown(image);
  requireRoom(image, plan);
  requireModest(image, plan);
  return plan;
}

/** Whether no guest can read what a wrong entry leads to: it leads nowhere, or its cluster lies behind the disk's end. */
export function isWorthless(image: Image, { kind, cluster }: BadEntry): boolean {
  return kind === "below" || kind === "outside" || cluster * image.clusterSize >= image.size;
}

/** A cluster that begins in the file and ends behind it is kept: how long the file is then. */
function wholeSizeOf(image: Image): number {
  const { grid, clusterSize } = image;
  const fileSize = image.medium.size;
  let size = fileSize;
  for (const { entry, kind, cluster } of badEntries(image)) {
    const start = grid.fileOffsetOf(entry);
    const isCut = kind === "outside" && start >= grid.dataStart && start < fileSize;
    if (isCut && cluster * clusterSize < image.size) size = Math.max(size, start + clusterSize);
  }
  return size;
}

/** Where the data area is going to begin. */
export const startOf = (image: Image): number => image.grid.hostOffsetOf(0);

/** What needs software that knows more is not changed, nor dropped: the data may mean something else without it. */
function requireKnown({ tables: { extension } }: Image): void {
  if (!extension?.unknown) return;
  throw new DiskError(
    "UNSUPPORTED",
    `the image was not repaired, and was left as it is: ${extension.problem}. Repair it with the software that wrote it, or open it with readOnly: true to save what it holds`,
  );
}

/** A BAT is made longer only where there is room for it before the data. */
function requireRoom(image: Image, { entryCount }: Plan): void {
  const { engine } = image;
  if (entryCount === engine.entryCount) return;
  if (entryCount <= MAX_BAT_ENTRIES && HEADER_SIZE + 4 * entryCount <= startOf(image)) return;
  throw new DiskError(
    "CORRUPT",
    `the image cannot be repaired, and was left as it is: its BAT has ${counted(engine.entryCount, "entry", "entries")}, its disk ${counted(entryCount, "cluster")}, and before the data there is no room for a longer BAT. Open it with readOnly: true to save what can be read`,
    { findings: damages(image).filter(({ kind }) => kind === "batTooSmall") },
  );
}

/** So much growth is never refused, in bytes. */
const ALWAYS_ALLOWED = 64 * 1024 * 1024;

/**
 * All that the file holds may be needed once more, and one cluster be completed, of which a guest sees no more than the
 * disk has: entries that want more mean nothing.
 */
function requireModest(image: Image, { foundSize, wholeSize, copies, offsetWrong }: Plan): void {
  const { clusterSize } = image;
  const longer = Math.max(wholeSize, offsetWrong ? startOf(image) : 0) + copies * clusterSize;
  const most =
    foundSize + Math.max(foundSize, ALWAYS_ALLOWED) + (wholeSize > foundSize ? Math.min(clusterSize, image.size) : 0);
  if (longer <= most) return;
  throw new DiskError(
    "TOO_LARGE",
    `the image was not repaired: its ${counted(foundSize, "byte")} would become ${longer}, more than the data in them can need: its clusters have ${counted(clusterSize, "byte")}, and ${counted(copies, "entry", "entries")} would get a copy of one. Open it with readOnly: true to save what can be read`,
    { expected: most, got: longer, findings: damages(image) },
  );
}
