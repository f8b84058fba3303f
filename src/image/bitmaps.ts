/**
 * The dirty bitmaps of an open image: made, cleared, removed. Each is one change of the extension, made while no request
 * is in flight, so that a bitmap begins at one moment for the whole disk. What happens to stale ones when the disk is
 * closed is decided here, too.
 */
import { DiskError, fieldOf } from "../errors.js";
import { ALL_CLEAR, ALL_SET, BITMAP_MAGIC, l1SizeOf } from "../format/extension.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import { saveMarks, track } from "./bitmap-marks.js";
import { type Bitmap, bitmapsOf, isKept, type Section } from "./extension.js";
import { replaceExtension } from "./extension-write.js";
import { type Image, requireOpen, requireWritable } from "./image.js";
import { markOpen } from "./mark.js";
import { locked } from "./range-locks.js";

/** Makes a bitmap, all clear. @param granularity in sectors: a power of two */
export function* addBitmap(image: Image, id: string, granularity: number): Operation<void> {
  yield* changeSections(image, (sections) => {
    if (sections.some(({ bitmap }) => bitmap?.id === id))
      throw new DiskError("EXISTS", `there is a dirty bitmap ${id} already: clear it, or choose another id`, { id });
    return [
      ...sections,
      { magic: BITMAP_MAGIC, flags: 0n, size: 0, fileOffset: 0, bitmap: emptyBitmap(image, id, granularity) },
    ];
  });
}

/** Begins a bitmap anew, at this moment: it is up to date whatever it was before. */
export function* clearBitmap(image: Image, id: string): Operation<void> {
  yield* changeSections(image, (sections) => {
    const { granularity } = requireBitmap(image, id);
    return sections.map((section) =>
      section.bitmap?.id === id ? { ...section, bitmap: emptyBitmap(image, id, granularity) } : section,
    );
  });
}

export function* removeBitmap(image: Image, id: string): Operation<void> {
  yield* changeSections(image, (sections) => {
    requireBitmap(image, id);
    return sections.filter(({ bitmap }) => bitmap?.id !== id);
  });
}

/** The bitmap of that id. @throws DiskError NOT_FOUND */
export function requireBitmap(image: Image, id: string): Bitmap {
  const bitmaps = bitmapsOf(image.tables.extension);
  const found = bitmaps.find((bitmap) => bitmap.id === id);
  if (found !== undefined) return found;
  const there = bitmaps.length === 0 ? "it has none" : `it has ${bitmaps.map((bitmap) => bitmap.id).join(", ")}`;
  throw new DiskError("NOT_FOUND", `the image has no dirty bitmap ${id}: ${there}`, { id });
}

function emptyBitmap({ header, clusterSize }: Image, id: string, granularity: number): Bitmap {
  const { sectorCount } = header;
  const l1 = new Float64Array(l1SizeOf(sectorCount, granularity, clusterSize)).fill(ALL_CLEAR);
  return { id, granularity, sectorCount, l1, stale: false };
}

function* changeSections(image: Image, change: (sections: readonly Section[]) => Section[]): Operation<void> {
  requireWritable(image);
  yield* locked(image.locks, 0, Number.MAX_SAFE_INTEGER, true, () =>
    exclusively(image.flushing, function* () {
      requireOpen(image);
      const sections = (): readonly Section[] => image.tables.extension?.sections ?? [];
      change(sections()); // a mistake is found while nothing has been touched
      yield* markOpen(image);
      yield* saveMarks(image);
      yield* replaceExtension(image, change(sections()));
      track(image);
    }),
  );
}

/**
 * Before the image says that it was closed by who knows of bitmaps: those that may have missed changes get all bits set, and
 * sections that nobody knows and nobody wants kept are dropped. Answers whether that, and all that was noted, is in the
 * file: without room for it the image is closed as by somebody who knows nothing of it.
 */
export function* settleBitmaps(image: Image): Operation<boolean> {
  if (image.tables.extension === undefined) return false;
  return yield* exclusively(image.flushing, function* () {
    try {
      yield* saveMarks(image);
      const { sections } = image.tables.extension!;
      const settled = sections.filter(isKept).map(withoutDoubt);
      const same = settled.length === sections.length && settled.every((section, index) => section === sections[index]);
      if (!same) yield* replaceExtension(image, settled);
      return image.tables.extension !== undefined;
    } catch (error) {
      if (fieldOf(error, "code") !== "NO_SPACE") throw error;
      return false;
    }
  });
}

/** A bitmap that may have missed changes, with all bits set; any other section as it is. */
function withoutDoubt(section: Section): Section {
  const { bitmap } = section;
  if (bitmap === undefined || !bitmap.stale) return section;
  return { ...section, bitmap: { ...bitmap, stale: false, l1: bitmap.l1.slice().fill(ALL_SET) } };
}
