/**
 * The vote about the header's data offset. One that the format allows may still be wrong: where more clusters in use lie
 * below it than above, they are believed, and the data area begins where the format lets it begin. Only what is sound has
 * a vote: a whole cluster on the grid, once, however many entries lead to it, and the format extension's own. Of as many,
 * the header is believed.
 */
import { counted, wordFor } from "../count.js";
import { SECTOR_SIZE } from "../format/header.js";
import { misplaced } from "./bad-entries.js";
import type { Extension } from "./extension.js";
import { sectorsToBytes } from "./grid.js";
import type { Image } from "./image.js";

export interface Vote {
  /** The data offset that was voted on, in sectors. */
  dataOffset: number;
  /** Clusters in use that lie below it, and those that bear it out. */
  below: number;
  above: number;
  outvoted: boolean;
}

/** Whether anything that the image uses lies below the header's data offset. */
export function isContested({ header, tables: { facts, grid } }: Image): boolean {
  if (!grid.dataStartValid || header.dataOffset === 0) return false;
  return facts.below > 0 || (header.extensionOffset > 0 && header.extensionOffset < header.dataOffset);
}

/** The votes of the sound clusters, as the grid is now. @param below only those that begin below this sector */
export function votes(image: Image, extension: Extension | undefined, below = Number.POSITIVE_INFINITY): number {
  return clustersInUse(image, below) + (extension && hasVote(image, extension, below) ? 1 : 0);
}

/** Counted by what the scan has found used, before the extension's clusters are. */
function clustersInUse({ engine, grid }: Image, below: number): number {
  const limit = Math.ceil((sectorsToBytes(below) - grid.hostOffsetOf(0)) / grid.clusterSize);
  if (limit >= engine.end) return engine.usedCount;
  let count = 0;
  for (let host = engine.nextUsed(0); host < limit; ) {
    const free = Math.min(engine.nextFree(host), limit);
    count += free - host;
    host = engine.nextUsed(free);
  }
  return count;
}

function hasVote({ grid }: Image, { sector: own, problem }: Extension, below: number): boolean {
  return problem === undefined && own < below && misplaced(grid, sectorsToBytes(own) / grid.entryUnit) === undefined;
}

/** What is wrong with the header's data offset, and what it should be. */
export function offsetMessage({ header, tables: { vote, grid } }: Image): string {
  const first = grid.hostOffsetOf(0) / SECTOR_SIZE;
  const said = `the data offset (${counted(header.dataOffset, "sector")}) is wrong, it should be ${first}`;
  if (vote?.dataOffset !== header.dataOffset) return said;
  return `${said}: ${counted(vote.below, "cluster")} in use ${wordFor(vote.below, "lies", "lie")} before it, ${vote.above} behind it`;
}
