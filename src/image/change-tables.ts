/**
 * Changes of an image's tables that the format extension has to follow: its bitmaps know the disk's size, and its clusters
 * may be in the way of a longer BAT, or of a shorter file. One write of the header shows both. The caller keeps others from
 * flushing, and requests from being in flight where the size changes.
 */
import { ALL_SET, l1SizeOf } from "../format/extension.js";
import type { Operation } from "../operation.js";
import { saveMarks, track } from "./bitmap-marks.js";
import { type Bitmap, type Section, sectorsOf } from "./extension.js";
import { allocateOwn, releaseOwn, replaceExtension } from "./extension-write.js";
import { sectorsToBytes } from "./grid.js";
import type { Image } from "./image.js";
import { changeHeader, type HeaderChanges } from "./mark.js";
import { copyWithin } from "./move.js";

/** Changes header fields durably, and the extension with them: what a larger disk has more is dirty in its bitmaps. */
export function* changeTables(image: Image, changes: HeaderChanges): Operation<void> {
  const { sectorCount: before } = image.header;
  const { sectorCount = before } = changes;
  if (image.tables.extension === undefined || sectorCount === before) return yield* changeHeader(image, changes);
  yield* saveMarks(image);
  const sections = image.tables.extension.sections.map((section) => resized(image, section, sectorCount));
  yield* replaceExtension(image, sections, changes);
  track(image);
  if (sectorCount > before) image.tracker?.note(sectorsToBytes(before), sectorsToBytes(sectorCount - before));
}

function resized({ clusterSize }: Image, section: Section, sectorCount: number): Section {
  const { bitmap } = section;
  if (bitmap === undefined) return section;
  const l1 = new Float64Array(l1SizeOf(sectorCount, bitmap.granularity, clusterSize)).fill(ALL_SET);
  l1.set(bitmap.l1.subarray(0, l1.length));
  return { ...section, bitmap: { ...bitmap, sectorCount, l1 } };
}

/**
 * Moves clusters of the extension and its bitmaps to the lowest free places, durably; those that they leave are free then.
 * @param stays whether a host cluster may stay where it is
 * @returns whether any has moved
 */
export function* relocateExtension(image: Image, stays: (hostCluster: number) => boolean): Operation<boolean> {
  const { extension } = image.tables;
  const moves = (sector: number): boolean => !stays(image.grid.hostClusterAt(sector));
  if (extension === undefined || ![...sectorsOf(extension)].some(moves)) return false;
  yield* saveMarks(image);
  const allocated: number[] = [];
  const sections: Section[] = [];
  try {
    for (const section of image.tables.extension!.sections) {
      const bitmap = section.bitmap && (yield* relocated(image, section.bitmap, moves, allocated));
      sections.push(bitmap ? { ...section, bitmap } : section);
    }
  } catch (error) {
    for (const sector of allocated) yield* releaseOwn(image, sector);
    throw error;
  }
  yield* replaceExtension(image, sections);
  return true;
}

/** The bitmap, with copies of the clusters that move. */
function* relocated(
  image: Image,
  bitmap: Bitmap,
  moves: (sector: number) => boolean,
  allocated: number[],
): Operation<Bitmap> {
  const l1 = bitmap.l1.slice();
  for (let page = 0; page < l1.length; page++) {
    if (l1[page] <= ALL_SET || !moves(l1[page])) continue;
    const { sector, blank } = yield* allocateOwn(image);
    allocated.push(sector);
    yield* copyWithin(image, sectorsToBytes(l1[page]), image.clusterSize, sectorsToBytes(sector), blank);
    l1[page] = sector;
  }
  return { ...bitmap, l1 };
}
