/**
 * Writing the format extension anew, so that the file has the old one or the new one at any moment: the new cluster, a
 * flush, the header that leads to it, a flush; then the clusters that only the old one needed are free.
 */
import { md5 } from "@noble/hashes/legacy.js";
import { counted } from "../count.js";
import { NO_HOST_CLUSTER } from "../engine/engine.js";
import { DiskError } from "../errors.js";
import {
  ALL_SET,
  BITMAP_HEADER,
  encodeBitmap,
  encodeSection,
  encodeStart,
  FIRST_SECTION,
  padded,
  SECTION_HEADER,
} from "../format/extension.js";
import { SECTOR_SIZE } from "../format/header.js";
import { call, type Operation } from "../operation.js";
import { type Extension, isKept, LONGEST, MOST_L1, MOST_SECTIONS, type Section, sectorsOf } from "./extension.js";
import { sectorsToBytes } from "./grid.js";
import type { Image } from "./image.js";
import { changeHeader, type HeaderChanges } from "./mark.js";
import { releaseRun } from "./release.js";
import { growFile } from "./trim.js";

/** A host cluster for metadata. */
export interface OwnCluster {
  sector: number;
  /** It reads as zeros. */
  blank: boolean;
}

/** Allocates a host cluster for metadata, the lowest that is free and that a bitmap can name. @throws DiskError NO_SPACE */
export function* allocateOwn(image: Image): Operation<OwnCluster> {
  const { engine, grid, medium, clusterSize } = image;
  const host = allocateNameable(image);
  if (host === NO_HOST_CLUSTER)
    throw new DiskError("NO_SPACE", "no cluster is left for the format extension: remove a bitmap, or discard data");
  const start = grid.hostOffsetOf(host);
  try {
    yield* growFile(image, start + clusterSize);
  } catch (error) {
    engine.release(host, 1);
    throw error;
  }
  const blank = medium.blank.take(start, start + clusterSize) !== undefined;
  return { sector: start / SECTOR_SIZE, blank };
}

/** With clusters of one sector the first may lie at sector 1, which says "all set" in a bitmap's table. */
function allocateNameable({ engine, grid }: Image): number {
  const host = engine.allocate(1, NO_HOST_CLUSTER);
  if (host === NO_HOST_CLUSTER || grid.hostOffsetOf(host) > ALL_SET * SECTOR_SIZE) return host;
  const next = engine.allocate(1, NO_HOST_CLUSTER);
  engine.release(host, 1);
  return next;
}

/** Gives a cluster back that nothing refers to, nor anything durable: what it holds would be a leak. */
export function releaseOwn(image: Image, sector: number): Operation<void> {
  return releaseRun(image, { first: image.grid.hostClusterAt(sector), count: 1 });
}

/**
 * Puts an extension of these sections in the place of the one that there is, durably, with other changes of the header in
 * the same write. Clusters in them that the old one does not have belong to this call: where it fails they are free again.
 * Sections that are not known, and not to be kept then, are dropped; without any there is no extension.
 */
export function* replaceExtension(
  image: Image,
  sections: readonly Section[],
  changes: HeaderChanges = {},
): Operation<void> {
  const { tables } = image;
  const old = tables.extension;
  const kept = sections.filter(isKept);
  const next = kept.length === 0 ? undefined : yield* writeNew(image, kept, old);
  try {
    yield* changeHeader(image, { ...changes, extensionOffset: next?.sector ?? 0 });
  } catch (error) {
    // The file may lead to either now: neither is given up before it is known to lead elsewhere.
    if (next) tables.doubtful.push(...difference(next, old));
    throw error;
  }
  tables.extension = next;
  for (const sector of old ? difference(old, next) : []) yield* releaseUnspared(image, sector);
  yield* releaseDoubtful(image);
}

/** Frees what the file might have led to after a write of the header that failed: it is known by now to lead elsewhere. */
export function* releaseDoubtful(image: Image): Operation<void> {
  for (const sector of image.tables.doubtful.splice(0)) yield* releaseUnspared(image, sector);
}

function* releaseUnspared(image: Image, sector: number): Operation<void> {
  if (sectorsToBytes(sector) >= image.tables.spared) yield* releaseOwn(image, sector);
}

/** The clusters of one extension that another does not have, by their sectors. */
function difference(extension: Extension, other: Extension | undefined): number[] {
  const there = new Set(other && sectorsOf(other));
  return [...sectorsOf(extension)].filter((sector) => !there.has(sector));
}

/** Writes an extension into a new cluster, durably. */
function* writeNew(image: Image, kept: readonly Section[], old: Extension | undefined): Operation<Extension> {
  const next: Extension = {
    sector: 0,
    sections: [],
    problem: undefined,
    misplaced: undefined,
    unknown: false,
    read: true,
  };
  try {
    requireFit(image, kept);
    const own = yield* allocateOwn(image);
    next.sector = own.sector;
    yield* writeCluster(image, own, kept, next.sections);
    yield* image.medium.flush();
    return next;
  } catch (error) {
    if (next.sections.length < kept.length) next.sections = [...kept];
    for (const sector of difference(next, old)) if (sector > 0) yield* releaseOwn(image, sector);
    throw error;
  }
}

/** @throws DiskError TOO_LARGE where sections and their end do not fit into a cluster, or nobody could believe them */
function requireFit({ clusterSize }: Image, sections: readonly Section[]): void {
  const needed = sections.reduce((sum, section) => sum + sizeOf(section), FIRST_SECTION + SECTION_HEADER);
  const entries = sections.reduce((sum, { bitmap }) => sum + (bitmap?.l1.length ?? 0), 0);
  if (clusterSize > LONGEST)
    throw new DiskError(
      "TOO_LARGE",
      `an image with clusters of ${counted(clusterSize, "byte")} can have no format extension: ${LONGEST} is the most`,
    );
  if (needed <= clusterSize && entries <= MOST_L1 && sections.length <= MOST_SECTIONS) return;
  throw new DiskError(
    "TOO_LARGE",
    `the format extension would need ${counted(needed, "byte")}, and has a cluster of ${clusterSize}: choose a larger granularity, or remove a bitmap`,
    { expected: clusterSize, got: needed },
  );
}

const sizeOf = (section: Section): number => SECTION_HEADER + padded(dataSizeOf(section));

const dataSizeOf = ({ bitmap, size }: Section): number => (bitmap ? BITMAP_HEADER + 8 * bitmap.l1.length : size);

/** Fills the cluster; adds the sections as they lie in it to `written`. */
function* writeCluster(
  image: Image,
  { sector, blank }: OwnCluster,
  sections: readonly Section[],
  written: Section[],
): Operation<void> {
  const { medium, clusterSize } = image;
  const start = sectorsToBytes(sector);
  const hash = md5.create();
  let at = start + FIRST_SECTION;
  const put = function* (bytes: Uint8Array): Operation<void> {
    hash.update(bytes);
    yield* medium.write(bytes, at);
    at += bytes.length;
  };
  for (const section of sections) {
    const fileOffset = at + SECTION_HEADER;
    const size = dataSizeOf(section);
    yield* put(encodeSection({ ...section, size }));
    if (section.bitmap) yield* put(encodeBitmap(section.bitmap, section.bitmap.l1));
    else yield* copyData(image, section, put);
    written.push({ ...section, size, fileOffset });
  }
  const rest = start + clusterSize - at;
  for (let done = 0; done < rest; done += ZEROS.length) {
    hash.update(ZEROS.subarray(0, Math.min(ZEROS.length, rest - done)));
    yield* call(() => undefined); // it takes its time: others get their turn
  }
  if (!blank) yield* medium.writeZeros(at, rest);
  yield* medium.write(encodeStart(hash.digest()), start);
}

const ZEROS = new Uint8Array(256 * 1024);

/** Copies the data of a section that is not known, and zeros to the next multiple of 8. */
function* copyData(
  { medium }: Image,
  { fileOffset, size }: Section,
  put: (bytes: Uint8Array) => Operation<void>,
): Operation<void> {
  for (let at = 0; at < size; at += COPY_SIZE) {
    const length = Math.min(COPY_SIZE, size - at);
    const bytes = new Uint8Array(padded(length));
    yield* medium.read(bytes.subarray(0, length), fileOffset + at);
    yield* put(bytes);
  }
}

const COPY_SIZE = 1024 * 1024;
