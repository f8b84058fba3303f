/** The BAT entries that are wrong, one by one: the scan only counts them, as few images have any. */
import { hostClusterOf, type Image } from "./image.js";

export type BadEntryKind = "below" | "outside" | "offGrid" | "duplicate";

export interface BadEntry {
  /** The guest cluster. */
  cluster: number;
  entry: number;
  kind: BadEntryKind;
}

/** Walks the BAT as the last survey saw it; entries may be mended as they are handed out. */
export function* badEntries(image: Image): Generator<BadEntry> {
  const { facts, engine, grid } = image;
  if (facts.below + facts.outside + facts.offGrid + facts.duplicates === 0) return;
  const used = new Uint8Array(Math.ceil(facts.end / 8));
  for (let cluster = 0; cluster < engine.entryCount; cluster++) {
    const entry = engine.bat[cluster]!;
    if (entry === 0) continue;
    const kind = misplaced(image, entry) ?? claim(used, hostClusterOf(image, entry));
    if (kind !== undefined) yield { cluster, entry, kind };
  }

  function misplaced({ engine: { step } }: Image, entry: number): BadEntryKind | undefined {
    if (entry < grid.origin) return "below";
    if (entry > grid.lastEntry) return "outside";
    return (entry - grid.origin) % step === 0 ? undefined : "offGrid";
  }
}

/** Notes that a host cluster is in use; answers whether an earlier entry uses it. */
function claim(used: Uint8Array, hostCluster: number): BadEntryKind | undefined {
  const bit = 1 << (hostCluster & 7);
  const byte = Math.floor(hostCluster / 8);
  if ((used[byte]! & bit) !== 0) return "duplicate";
  used[byte]! |= bit;
  return undefined;
}
