/**
 * Windows: the parts of disks that are worth reading, in pieces of a size that moves fast. What no source has
 * allocated is passed over without a read.
 */
import type { Source } from "./source.js";

/** A range of guest bytes in which at least one source has data. */
export interface Window {
  offset: number;
  /** In bytes, at most `WINDOW_SIZE`. */
  length: number;
  /** For each source, whether it has data in the window; where not, it reads as zeros. */
  held: boolean[];
}

/** Large enough to make a request's cost vanish, small enough to stay in the processor's cache. */
export const WINDOW_SIZE = 2 * 1024 * 1024;

const CLUSTERS_AT_ONCE = 64 * 1024;

/** The windows of sources that are read together, in order; they begin and end at multiples of `grain` where data does not. */
export async function* windowsOf(sources: readonly Source[], grain = 1): AsyncGenerator<Window> {
  const size = Math.max(...sources.map((source) => source.size));
  const windowSize = grain > WINDOW_SIZE ? WINDOW_SIZE : WINDOW_SIZE - (WINDOW_SIZE % grain);
  const clusterSize = Math.min(...sources.map((source) => source.clusterSize));
  const stride = Math.max(1, Math.floor((CLUSTERS_AT_ONCE * clusterSize) / windowSize)) * windowSize;
  for (let offset = 0; offset < size; offset += stride) {
    const windows = new Map<number, Window>();
    for (const [index, source] of sources.entries()) {
      const length = Math.max(0, Math.min(stride, source.size - offset));
      if (length > 0) await markHeld(windows, source, index, offset, length, windowSize, sources.length);
    }
    yield* sources.length === 1 ? windows.values() : inOrder(windows);
  }
}

/** Widens the windows of a range to the data that one source has there. */
async function markHeld(
  windows: Map<number, Window>,
  source: Source,
  index: number,
  offset: number,
  length: number,
  windowSize: number,
  sourceCount: number,
): Promise<void> {
  for (const extent of await source.extents(offset, length)) {
    if (extent.zero) continue;
    const extentEnd = extent.offset + extent.length;
    for (let at = extent.offset; at < extentEnd; ) {
      const number = Math.floor(at / windowSize);
      const end = Math.min(extentEnd, (number + 1) * windowSize);
      const window = windows.get(number) ?? { offset: at, length: 0, held: new Array(sourceCount).fill(false) };
      const windowEnd = Math.max(window.offset + window.length, end);
      window.offset = Math.min(window.offset, at);
      window.length = windowEnd - window.offset;
      window.held[index] = true;
      windows.set(number, window);
      at = end;
    }
  }
}

function inOrder(windows: Map<number, Window>): Window[] {
  return [...windows.values()].sort((a, b) => a.offset - b.offset);
}
