/** Guest clusters by where they lie: runs that are neighbours on the disk and in the file. */
import type { Image } from "./image.js";

/** Guest clusters in one piece of the file. */
export interface GuestRun {
  cluster: number;
  count: number;
  /** The host cluster of the first one. */
  host: number;
}

/** Guest clusters, from the first to the last. */
export interface Window {
  first: number;
  last: number;
}

/**
 * The allocated runs among the clusters of a window (default: all), in order. They are as the BAT has them when the walk
 * comes there, or a little before: who waits for anything meanwhile looks again under a lock.
 */
export function* guestRuns(
  { engine, grid }: Pick<Image, "engine" | "grid">,
  { first, last }: Window = { first: 0, last: engine.entryCount - 1 },
): Generator<GuestRun, void, void> {
  for (let cluster = first; cluster <= last; ) {
    const filled = engine.map(cluster, last + 1 - cluster);
    const extents = engine.extents.slice(0, 2 * filled); // the table is everybody's
    for (let at = 0; at < extents.length; at += 2) {
      const [count, entry] = [extents[at], extents[at + 1]];
      if (entry !== 0) yield { cluster, count, host: grid.hostClusterOf(entry) };
      cluster += count;
    }
  }
}

/** Windows over all clusters that are allocated, of so many bytes each; at least one cluster. */
export function* windowsOf({ engine, clusterSize }: Image, windowSize: number): Generator<Window, void, void> {
  const count = clustersIn(windowSize, clusterSize);
  for (let first = 0; ; first += count) {
    const { bat } = engine;
    // A small file may claim a long BAT: what is empty of it is passed at once.
    while (first < bat.length && bat[first] === 0) first++;
    if (first >= bat.length) return;
    yield { first, last: Math.min(first + count, bat.length) - 1 };
  }
}

export const clustersIn = (bytes: number, clusterSize: number): number => Math.max(1, Math.floor(bytes / clusterSize));
