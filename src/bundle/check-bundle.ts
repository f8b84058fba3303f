/** Checking a bundle: each image by itself, what the folder holds beside them, and deletions that did not finish. */
import { check } from "../image/check.js";
import { close } from "../image/close.js";
import { load, open } from "../image/open.js";
import { requireLevel } from "../image/repair.js";
import type { CheckReport, RepairLevel } from "../image/reports.js";
import { listFiles, openFile } from "../medium/files.js";
import { closeStorage, sizeOf } from "../medium/transfer.js";
import type { Operation } from "../operation.js";
import { badBundle } from "./bad-bundle.js";
import { deleteSnapshot } from "./delete-snapshot.js";
import type { Guid } from "./guid.js";
import { strayFiles } from "./image-files.js";
import type { BundleImage, BundleStorage } from "./parts.js";
import { imageSettings } from "./segment.js";
import type { State } from "./state.js";

/** What was found in one image. */
export interface ImageReport {
  readonly file: string;
  readonly guid: string;
  /** The index of its storage. */
  readonly storage: number;
  /** Absent for a raw file, which has no tables. */
  readonly report?: CheckReport;
}

export interface BundleReport {
  readonly images: readonly ImageReport[];
  /** Files that a crash left: nothing refers to them. */
  readonly strays: readonly string[];
  /** Snapshots that were deleted, and whose images are still in a chain. */
  readonly unfinished: readonly string[];
}

export interface BundleRepair {
  readonly before: BundleReport;
  readonly after: BundleReport;
}

/** Looks at everything without changing anything. */
export function* checkBundle(state: State): Operation<BundleReport> {
  const images = yield* checkImages(state, undefined);
  return { images, strays: yield* strays(state), unfinished: unfinished(state) };
}

/** Repairs each image, finishes deletions and removes stray files. Nobody else has the bundle open for writing. */
export function* repairBundle(state: State, level: RepairLevel): Operation<BundleRepair> {
  requireLevel(level);
  const before = yield* checkBundle(state);
  yield* checkImages(state, level);
  for (const guid of unfinished(state)) yield* deleteSnapshot(state, guid, {});
  yield* state.withTop(function* () {
    yield* state.remove(yield* strays(state)); // under the lock of the top: a verb of somebody else would have such files
  });
  return { before, after: yield* checkBundle(state) };
}

function unfinished({ descriptor }: State): Guid[] {
  return descriptor.snapshots.filter(({ temporary }) => temporary).map(({ guid }) => guid);
}

function* strays({ folder, descriptor }: State): Operation<string[]> {
  if (folder.readOnly) return []; // it may not be able to list, and nobody makes any
  return strayFiles(descriptor, yield* listFiles(folder));
}

/** Checks every image of every storage, and repairs it where a level is given. */
function* checkImages(state: State, level: RepairLevel | undefined): Operation<ImageReport[]> {
  const images: ImageReport[] = [];
  for (const [index, storage] of state.descriptor.storages.entries())
    for (const image of storage.images) images.push(yield* checkImage(state, index, storage, image, level));
  return images;
}

function* checkImage(
  state: State,
  index: number,
  { start, end, clusterSize }: BundleStorage,
  { file, guid, type }: BundleImage,
  level: RepairLevel | undefined,
): Operation<ImageReport> {
  const settings = state.segmentSettings(level === undefined);
  const storage = yield* openFile(state.folder, file, { readOnly: level === undefined || type === "plain" });
  const what = { file, guid, storage: index };
  if (type === "plain") {
    const length = yield* sizeOf(storage);
    yield* closeStorage(storage);
    if (length < end - start)
      throw badBundle(`${file} is shorter than its storage`, { file, expected: end - start, got: length });
    return what;
  }
  try {
    const opening = imageSettings(storage, settings, settings.readOnly);
    const image =
      level === undefined ? yield* load(storage, opening) : yield* open(storage, { ...opening, repair: level });
    if (image.clusterSize !== clusterSize || image.size < end - start)
      throw badBundle(`${file} does not fit its storage: its size or its cluster size differs`, { file });
    const report = yield* check(image);
    yield* close(image);
    return { ...what, report };
  } catch (error) {
    yield* closeStorage(storage);
    throw error;
  }
}
