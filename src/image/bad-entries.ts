/** The BAT entries that are wrong, one by one: the scan only counts them, as few images have any. */
import type { Grid } from "./grid.js";
import type { Image } from "./image.js";

export type BadEntryKind = "below" | "outside" | "offGrid" | "duplicate";

export interface BadEntry {
  /** The guest cluster. */
  cluster: number;
  entry: number;
  kind: BadEntryKind;
}

/**
 * Walks the BAT as the last survey saw it; entries may be mended as they are handed out.
 * @param lastEntry the highest entry that leads into the file, where it is to be seen as if it were longer
 */
export function* badEntries(image: Image, lastEntry = image.grid.lastEntry): Generator<BadEntry> {
  const { engine, grid } = image;
  const { facts } = image.tables;
  if (facts.below + facts.outside + facts.offGrid + facts.duplicates === 0) return;
  const used = new Uint8Array(Math.ceil(facts.end / 8));
  /** Those behind the last one that was good: few, as they would have to begin in the file's last cluster. */
  const more = new Set<number>();
  for (let cluster = 0; cluster < engine.entryCount; cluster++) {
    const entry = engine.bat[cluster];
    if (entry === 0) continue;
    const kind = misplaced(grid, entry, lastEntry) ?? (claim(grid.hostClusterOf(entry)) ? undefined : "duplicate");
    if (kind !== undefined) yield { cluster, entry, kind };
  }

  /** Notes that a host cluster is in use; answers whether it was free. */
  function claim(hostCluster: number): boolean {
    if (hostCluster >= facts.end) return more.size < more.add(hostCluster).size;
    const bit = 1 << (hostCluster & 7);
    const byte = Math.floor(hostCluster / 8);
    const free = (used[byte] & bit) === 0;
    used[byte] |= bit;
    return free;
  }
}

/** What is wrong with the place that an entry leads to, if anything. */
export function misplaced(
  grid: Grid,
  entry: number,
  lastEntry = grid.lastEntry,
): Exclude<BadEntryKind, "duplicate"> | undefined {
  if (grid.fileOffsetOf(entry) < grid.dataStart) return "below";
  if (entry > lastEntry) return "outside";
  return entry >= grid.origin && (entry - grid.origin) % grid.step === 0 ? undefined : "offGrid";
}
