/**
 * One part of a bundle's disk - all of it where it is not split -: the image that the guest writes to, over the chain of
 * those that are only read.
 */

import { counted } from "../count.js";
import type { AnyDevice } from "../device/block-device.js";
import type { Verbs } from "../device/verbs.js";
import { createOwners } from "../engine/create-owners.js";
import type { EngineKind } from "../engine/engine.js";
import { DiskError } from "../errors.js";
import { Chain, type Layer } from "../image/chain.js";
import { close } from "../image/close.js";
import type { Image } from "../image/image.js";
import { load, type OpenSettings, open } from "../image/open.js";
import { openFile } from "../medium/files.js";
import { Medium, type Preallocation } from "../medium/medium.js";
import { type PreallocationOption, preallocationOf } from "../medium/preallocation.js";
import { closeStorage, flushStorage, sizeOf } from "../medium/transfer.js";
import { type Operation, quietly } from "../operation.js";
import { shownName } from "../printable.js";
import type { Folder } from "../storage/folder.js";
import type { Storage } from "../storage/storage.js";
import { badBundle } from "./bad-bundle.js";
import type { BundleImage, BundleStorage } from "./parts.js";

/** How the two faces make devices. */
export interface Face {
  readonly concurrent: boolean;
  disk(image: Image): AnyDevice;
  bind(verbs: Verbs): AnyDevice;
}

export interface SegmentSettings {
  readonly face: Face;
  readonly engine: EngineKind | undefined;
  /** Nobody writes: not the top either. */
  readonly readOnly: boolean;
  /** The image has only just been made. */
  readonly fresh?: boolean;
  readonly prealloc: PreallocationOption | undefined;
}

/** The image on top: one with tables, or a file that is the disk itself. */
export type Top = { readonly image: Image } | { readonly plain: Medium };

export interface Segment {
  /** In bytes. */
  readonly size: number;
  readonly clusterSize: number;
  readonly chain: Chain;
  readonly top: Top;
}

/** Opens the images of a storage, the root first. @throws DiskError BAD_BUNDLE where one does not fit */
export function* openSegment(
  folder: Folder,
  storage: BundleStorage,
  images: readonly BundleImage[],
  settings: SegmentSettings,
): Operation<Segment> {
  const chain = yield* openChain(folder, storage, images.slice(0, -1), settings);
  const { size, clusterSize } = chain;
  try {
    const last = images[images.length - 1];
    const file = yield* openFile(folder, last.file, { readOnly: settings.readOnly });
    return { size, clusterSize, chain, top: yield* openTop(file, last, chain, settings) };
  } catch (error) {
    yield* quietly(closeChain(chain));
    throw error;
  }
}

/** Opens images of a storage for reading only, the root first. @throws DiskError BAD_BUNDLE where one does not fit */
export function* openChain(
  folder: Folder,
  { start, end, clusterSize }: BundleStorage,
  images: readonly BundleImage[],
  settings: SegmentSettings,
): Operation<Chain> {
  const size = end - start;
  const chain = new Chain(size, clusterSize, createOwners(settings.engine, Math.ceil(size / clusterSize)));
  try {
    for (const entry of images) yield* pushLayer(chain, folder, entry, settings);
    return chain;
  } catch (error) {
    yield* quietly(closeChain(chain));
    throw error;
  }
}

/** Lays the next image over a chain. */
function* pushLayer(chain: Chain, folder: Folder, entry: BundleImage, settings: SegmentSettings): Operation<void> {
  const storage = yield* openFile(folder, entry.file, { readOnly: true });
  yield* orClose(storage, function* () {
    if (entry.type === "plain")
      return chain.pushPlain(yield* plainMedium(storage, entry, chain.size, settings), entry.file);
    const image = yield* load(storage, imageSettings(storage, settings, true));
    requireFit(entry, image, chain);
    chain.push(image, entry.file);
  });
}

/** Opens the image on top over its chain; the storage is closed where that fails. */
export function* openTop(
  storage: Storage,
  entry: BundleImage,
  chain: Chain,
  settings: SegmentSettings,
): Operation<Top> {
  const top = yield* openAlone(storage, entry, chain, settings);
  if ("image" in top) setBeneath(top.image, chain, settings.face);
  return top;
}

/** Opens an image of a chain with nothing beneath it; the storage is closed where that fails. */
export function* openAlone(
  storage: Storage,
  entry: BundleImage,
  chain: Chain,
  settings: SegmentSettings,
): Operation<Top> {
  return yield* orClose(storage, function* (): Operation<Top> {
    if (entry.type === "plain") return { plain: yield* plainMedium(storage, entry, chain.size, settings) };
    const { readOnly, fresh = false } = settings;
    const image = yield* open(storage, { ...imageSettings(storage, settings, readOnly), fresh });
    requireFit(entry, image, chain);
    return { image };
  });
}

/** A layer as an image of its own, to be read: its tables are read once more. */
export function* sideOf({ medium, grid }: Layer, settings: SegmentSettings): Operation<Top> {
  if (grid === undefined) return { plain: medium };
  return { image: yield* load(medium.storage, imageSettings(medium.storage, settings, true)) };
}

/** Finds out anew who holds what, after layers went. */
export function* readopt(chain: Chain, settings: SegmentSettings): Operation<void> {
  const sides: Top[] = [];
  for (const layer of chain.layers) sides.push(yield* sideOf(layer, settings));
  const layers = chain.layers.splice(0);
  chain.owners.clear();
  for (const [index, { file, medium }] of layers.entries()) {
    const side = sides[index];
    if ("image" in side) chain.push(side.image, file, medium);
    else chain.pushPlain(side.plain, file);
  }
}

/** Puts an image over a chain, as it is now. */
export function setBeneath(image: Image, chain: Chain, face: Face): void {
  const stands = chain.layers.length > 0;
  image.base = stands ? face.bind(chain) : undefined;
  image.chain = stands ? chain : undefined;
}

/** Closes all that a segment has open; the top as cleanly as a disk is closed. The first error is thrown when all are asked. */
export function* closeSegment({ chain, top }: Segment): Operation<void> {
  try {
    if ("image" in top) yield* close(top.image);
    else yield* closePlain(top.plain);
  } finally {
    yield* closeChain(chain);
  }
}

function* closePlain(medium: Medium): Operation<void> {
  if (!medium.storage.readOnly) yield* flushStorage(medium.storage);
  yield* medium.close();
}

export function* closeChain(chain: Chain): Operation<void> {
  for (const { medium } of chain.layers) yield* medium.close();
}

/** Does something with a storage; where that fails, closes it. */
export function* orClose<T>(storage: Storage, operation: () => Operation<T>): Operation<T> {
  try {
    return yield* operation();
  } catch (error) {
    yield* quietly(closeStorage(storage));
    throw error;
  }
}

function* plainMedium(
  storage: Storage,
  { file }: BundleImage,
  size: number,
  settings: SegmentSettings,
): Operation<Medium> {
  const length = yield* sizeOf(storage);
  if (length < size) throw tooShort(file, length, size);
  return new Medium(storage, length, { preallocation: NO_GROWTH, concurrent: settings.face.concurrent });
}

const NO_GROWTH: Preallocation = { mode: "off", size: 0 };

export function imageSettings(
  storage: Storage,
  { face, engine, prealloc }: SegmentSettings,
  readOnly: boolean,
): OpenSettings {
  const preallocation = preallocationOf(storage, prealloc);
  return { readOnly, engine, base: undefined, repair: "none", preallocation, concurrent: face.concurrent };
}

function requireFit({ file }: BundleImage, image: Image, chain: Chain): void {
  if (image.clusterSize !== chain.clusterSize) {
    const got = counted(image.clusterSize, "byte");
    throw badBundle(`${shownName(file)} has clusters of ${got}, its Blocksize says ${chain.clusterSize}`, {
      ...{ file, expected: chain.clusterSize, got: image.clusterSize },
    });
  }
  if (image.size < chain.size) throw tooShort(file, image.size, chain.size);
}

function tooShort(file: string, got: number, expected: number): DiskError {
  return new DiskError(
    "BAD_BUNDLE",
    `${shownName(file)} is a disk of ${counted(got, "byte")}, its storage has ${expected}: it was cut short, restore it from a backup`,
    { file, expected, got },
  );
}
