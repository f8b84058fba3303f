/** From guest ranges to extents: the mapping that every verb walks. */
import { clusterOf, fileOffsetOf, type Image } from "./image.js";

/** A part of a guest range that lies in one piece. */
export interface Extent {
  /** Where it begins on the disk, in bytes. */
  offset: number;
  /** In bytes. */
  length: number;
  /** Where it lies in the file, or -1 where the image has no data of its own. */
  fileOffset: number;
}

/**
 * The extents of a guest range, in order and maximal. They are found before anything is done with them: the
 * engine's table is overwritten by the next mapping, and by every other request in flight. Where there are more than
 * `limit`, those of the beginning of the range; the last of them may be cut.
 */
export function extentsOf(image: Image, offset: number, length: number, limit = Number.POSITIVE_INFINITY): Extent[] {
  const extents: Extent[] = [];
  if (length === 0) return extents;
  const end = offset + length;
  let cluster = clusterOf(image, offset);
  const mappedEnd = Math.min(Math.ceil(end / image.clusterSize), image.engine.entryCount);
  while (cluster < mappedEnd) {
    const count = image.engine.map(cluster, mappedEnd - cluster);
    const table = image.engine.extents;
    for (let i = 0; i < count; i++) {
      const clusters = table[2 * i]!;
      append(extents, clip(image, cluster, clusters, table[2 * i + 1]!, offset, end));
      cluster += clusters;
    }
    if (extents.length >= limit) return extents.slice(0, limit);
  }
  const mapped = cluster * image.clusterSize;
  // A damaged image's BAT may be too small for its disk: what it cannot map was never allocated.
  if (mapped < end)
    append(extents, { offset: Math.max(mapped, offset), length: end - Math.max(mapped, offset), fileOffset: -1 });
  return extents;
}

/** The part of a run of clusters that lies in `offset..end`. */
function clip(image: Image, cluster: number, clusters: number, entry: number, offset: number, end: number): Extent {
  const start = cluster * image.clusterSize;
  const from = Math.max(start, offset);
  const to = Math.min(start + clusters * image.clusterSize, end);
  return { offset: from, length: to - from, fileOffset: entry === 0 ? -1 : fileOffsetOf(image, entry) + from - start };
}

/** Joins a run that the engine's table cut. */
function append(extents: Extent[], extent: Extent): void {
  const last = extents[extents.length - 1];
  const follows =
    last !== undefined && extent.fileOffset === (last.fileOffset < 0 ? -1 : last.fileOffset + last.length);
  if (follows) last.length += extent.length;
  else extents.push(extent);
}
