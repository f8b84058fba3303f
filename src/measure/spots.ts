/** Spots: blocks of an image that are allocated and lie in one piece, with their place on the disk and in the file. */
import type { DiskSync } from "../disk-sync.js";

export interface Spot {
  guestOffset: number;
  fileOffset: number;
}

const MOST_SPOTS = 64 * 1024;

/** The spots of a disk for blocks of one size, in order; at most 64 Ki of them. */
export function findSpots(disk: DiskSync, blockSize: number): Spot[] {
  const spots: Spot[] = [];
  for (let offset = 0; offset < disk.size && spots.length < MOST_SPOTS; ) {
    for (const run of disk.status(offset)) {
      offset = run.offset + run.length;
      if (run.fileOffset === undefined) continue;
      const end = run.offset + run.length - blockSize;
      const first = Math.ceil(run.offset / blockSize) * blockSize;
      for (let at = first; at <= end && spots.length < MOST_SPOTS; at += blockSize) {
        spots.push({ guestOffset: at, fileOffset: run.fileOffset + at - run.offset });
      }
    }
  }
  return spots;
}

/** Answers one spot after the other, for ever: in order, or in an order that looks random and is always the same. */
export function walk(spots: readonly Spot[], pattern: "random" | "sequential"): () => Spot {
  let state = 20_040_229;
  let next = 0;
  if (pattern === "sequential") return () => spots[next++ % spots.length];
  return () => {
    state = (state * 48_271) % 0x7fffffff; // a Lehmer generator; stays below 2^53
    return spots[state % spots.length];
  };
}
