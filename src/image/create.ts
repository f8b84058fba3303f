/** Create: an empty image of a given size, once all that it is to stand on has answered. */

import { counted } from "../count.js";
import type { AnyDevice } from "../device/block-device.js";
import { readDevice } from "../device/verbs.js";
import { geometryOf } from "../format/geometry.js";
import {
  encodeHeader,
  type Format,
  HEADER_SIZE,
  MAX_BAT_ENTRIES,
  MAX_CLUSTER_SECTORS,
  SECTOR_SIZE,
} from "../format/header.js";
import { allocate, ask, flushStorage, sizeOf, truncate, writeFully, writeZeros } from "../medium/transfer.js";
import type { Operation } from "../operation.js";
import { quote } from "../printable.js";
import { requireVerbs, WRITING } from "../storage/answers.js";
import type { Storage } from "../storage/storage.js";
import type { Image } from "./image.js";
import { deviceBeneath, type OpenSettings, open } from "./open.js";

/** What a new image is to be. */
export interface CreateSettings {
  /** The disk's size in bytes: a multiple of 512. */
  size: number;
  /** In bytes: a multiple of 512, at most 2 GiB. */
  clusterSize: number;
  format: Format;
}

/** How to make an image, and how to open it then. */
export interface NewDiskSettings {
  create: CreateSettings;
  open: OpenSettings;
}

/** Checks that sizes in bytes can be told in sectors. @throws RangeError with what would be right */
export function requireSectors({ size, clusterSize }: Pick<CreateSettings, "size" | "clusterSize">): void {
  if (!Number.isSafeInteger(size) || size < 0 || size % SECTOR_SIZE !== 0) {
    throw new RangeError(`size: expected a multiple of ${SECTOR_SIZE} bytes, got ${quote(size)}`);
  }
  if (
    !Number.isInteger(clusterSize) ||
    clusterSize <= 0 ||
    clusterSize % SECTOR_SIZE !== 0 ||
    clusterSize / SECTOR_SIZE > MAX_CLUSTER_SECTORS
  ) {
    throw new RangeError(
      `clusterSize: expected a multiple of ${SECTOR_SIZE} bytes up to ${MAX_CLUSTER_SECTORS * SECTOR_SIZE}, got ${quote(clusterSize)}`,
    );
  }
}

/** Checks a new image's sizes. @throws RangeError with what would be right */
export function requireCreatable({ size, clusterSize, format }: CreateSettings): void {
  requireSectors({ size, clusterSize });
  if (format !== "v1" && format !== "v2") throw new RangeError(`format: expected "v1" or "v2", got ${quote(format)}`);
  const entries = Math.ceil(size / clusterSize);
  if (entries > MAX_BAT_ENTRIES) {
    throw new RangeError(
      `a disk of ${counted(size, "byte")} needs ${counted(entries, "cluster")} of ${counted(clusterSize, "byte")}, more than the format's ${MAX_BAT_ENTRIES}: choose larger clusters`,
    );
  }
  const limit = format === "v1" ? 2 ** 32 * SECTOR_SIZE : Number.MAX_SAFE_INTEGER;
  if (dataStartOf(size, clusterSize) + entries * clusterSize > limit) {
    throw new RangeError(
      `a ${format} image reaches ${counted(limit, "byte")}, too few for a disk of ${size}: ${format === "v1" ? 'choose format "v2"' : "choose a smaller disk"}`,
    );
  }
}

/** Makes an image over whatever the storage holds, and opens it. */
export function* createOpen(storage: Storage, settings: NewDiskSettings): Operation<Image> {
  if (settings.open.base) yield* requireReadable(settings.open.base, settings.open.concurrent);
  yield* createImage(storage, settings.create);
  return yield* open(storage, { ...settings.open, fresh: true });
}

/** A base that cannot be read is found out while there is still something to keep. */
function* requireReadable(beneath: AnyDevice | Storage, concurrent: boolean): Operation<void> {
  const base = yield* deviceBeneath(beneath, concurrent);
  yield* readDevice(base, new Uint8Array(Math.min(SECTOR_SIZE, base.size)), 0);
}

/** Writes an empty image over whatever the storage holds. The header comes last: half a creation is no image. */
export function* createImage(storage: Storage, settings: CreateSettings): Operation<void> {
  const { size, clusterSize, format } = settings;
  const dataStart = dataStartOf(size, clusterSize);
  const { heads, cylinders } = geometryOf(size / SECTOR_SIZE);
  requireVerbs(storage, WRITING);
  yield* ask(storage, yield* sizeOf(storage));
  yield* truncate(storage, 0);
  yield* truncate(storage, dataStart);
  yield* takeBatBlocks(storage, HEADER_SIZE + 4 * Math.ceil(size / clusterSize));
  yield* flushStorage(storage);
  const header = encodeHeader({
    format,
    heads,
    cylinders,
    tracks: clusterSize / SECTOR_SIZE,
    batEntries: Math.ceil(size / clusterSize),
    sectorCount: size / SECTOR_SIZE,
    inUse: 0,
    dataOffset: dataStart / SECTOR_SIZE,
    flags: 0,
    extensionOffset: 0,
  });
  yield* writeFully(storage, header, 0);
  yield* flushStorage(storage);
}

/**
 * With blocks for the whole BAT a flush never fails for want of space, and so can free what was discarded. Where they
 * cannot be had by asking, the BAT's zeros are written; storages that have no blocks have no such trouble.
 */
function* takeBatBlocks(storage: Storage, batEnd: number): Operation<void> {
  const missing = yield* allocate(storage, 0, batEnd); // not to the data area: a cluster may be 2 GiB
  if (missing !== undefined && storage.allocate !== undefined) yield* writeZeros(storage, 0, batEnd);
}

/** The BAT's end rounded up to a cluster, in both formats: Parallels Desktop and QEMU align so, too. */
function dataStartOf(size: number, clusterSize: number): number {
  return Math.ceil((HEADER_SIZE + 4 * Math.ceil(size / clusterSize)) / clusterSize) * clusterSize;
}
