/**
 * The format extension of an open image, as its file has it: what is in it, whether it can be believed, and which clusters
 * it and its bitmaps lie in, which nothing may overwrite. Kept in memory from then on: what changes it writes it anew
 * (extension-write.ts).
 */
import { md5 } from "@noble/hashes/legacy.js";
import { counted } from "../count.js";
import {
  ALL_SET,
  BITMAP_HEADER,
  BITMAP_MAGIC,
  type BitmapHeader,
  checksumIn,
  decodeBitmap,
  decodeL1,
  decodeSection,
  FIRST_SECTION,
  isExtension,
  isNecessary,
  isPowerOfTwo,
  isTransit,
  l1SizeOf,
  padded,
  SECTION_HEADER,
  type SectionHeader,
} from "../format/extension.js";
import { SECTOR_SIZE } from "../format/header.js";
import type { Medium } from "../medium/medium.js";
import type { Operation } from "../operation.js";
import { sectorsToBytes } from "./grid.js";
import type { Image } from "./image.js";

export interface Extension {
  /** Where its own cluster begins. */
  sector: number;
  /** In the order of the file. */
  sections: Section[];
  /** Why none of it can be believed, for what is in it; and for where it lies, which a repair may change. */
  problem: string | undefined;
  misplaced: string | undefined;
  /** It needs software that knows more: nobody else may change the image. */
  unknown: boolean;
  /** It was where it can be read. */
  read: boolean;
}

export interface Section extends SectionHeader {
  /** Where its data lies in the file, in bytes. */
  readonly fileOffset: number;
  /** What it is, if it is one that can be believed, or could but for its clusters. */
  bitmap?: Bitmap;
  /** Why it cannot be kept, though the rest can: for what it says, and for where its clusters lie. */
  problem?: string | undefined;
  misplaced?: string | undefined;
}

/** A dirty bitmap; sizes are in sectors. */
export interface Bitmap {
  readonly id: string;
  readonly granularity: number;
  sectorCount: number;
  /** For each cluster of bits: all clear, all set, or the sector where it lies. */
  l1: Float64Array;
  /** It may have missed changes. */
  stale: boolean;
}

/** More is not kept in memory: nobody has so many, and a small file may claim them. */
export const MOST_SECTIONS = 1024;
export const MOST_L1 = 2 ** 21;
/** A longer cluster is not verified, in bytes: it may be 2 GiB, and a checksum takes its time. */
export const LONGEST = 64 * 1024 * 1024;

/** How much of the cluster is read at once, in bytes. */
const PIECE_SIZE = 1024 * 1024;

/** Reads the extension that the header names, wherever that is. */
export function* readExtension(image: Image): Operation<Extension> {
  const { header, clusterSize, medium, grid, tables } = image;
  const start = sectorsToBytes(header.extensionOffset);
  // What lies elsewhere is no extension: its place is the problem, and is found to be one.
  if (start < grid.dataStart || start + clusterSize > medium.size) return nothingAt(header.extensionOffset);
  return yield* readExtensionAt(medium, start, clusterSize, header.sectorCount, !tables.closedAware);
}

/** Reads the extension at a place in the file. @param stale whether its bitmaps may have missed changes */
export function* readExtensionAt(
  medium: Medium,
  start: number,
  clusterSize: number,
  sectorCount: number,
  stale: boolean,
): Operation<Extension> {
  const extension = { ...nothingAt(start / SECTOR_SIZE), read: true };
  yield* new Reader(medium, start, clusterSize, sectorCount, stale).read(extension);
  return extension;
}

const nothingAt = (sector: number): Extension => ({
  sector,
  sections: [],
  problem: undefined,
  misplaced: undefined,
  unknown: false,
  read: false,
});

/** Why none of it can be kept. */
export const problemOf = (extension: Extension | undefined): string | undefined =>
  extension?.misplaced ?? extension?.problem;

/** Whether a section is still there once the extension is written anew. */
export const isKept = (section: Section): boolean => section.bitmap !== undefined || isTransit(section);

/** Its sections that cannot be kept though the others can. */
export function badSections(extension: Extension | undefined): Section[] {
  if (extension === undefined || problemOf(extension) !== undefined) return [];
  return extension.sections.filter((section) => (section.misplaced ?? section.problem) !== undefined);
}

/** The sectors where its clusters begin, its own first. */
export function* sectorsOf(extension: Extension): Generator<number> {
  yield extension.sector;
  for (const { bitmap } of extension.sections) if (bitmap) yield* pagesOf(bitmap);
}

/** The sectors where a bitmap's clusters begin. */
export function* pagesOf({ l1 }: Bitmap): Generator<number> {
  for (const sector of l1) if (sector > ALL_SET) yield sector;
}

/** Its bitmaps that can be believed, but for what they may have missed. */
export function bitmapsOf(extension: Extension | undefined): Bitmap[] {
  if (extension === undefined || problemOf(extension) !== undefined) return [];
  return extension.sections.flatMap(({ bitmap, misplaced }) => (bitmap && misplaced === undefined ? [bitmap] : []));
}

/** Marks the clusters of the format extension and its bitmaps as used; notes where that cannot be done. */
export function reserveExtension(image: Image, extension: Extension): void {
  extension.misplaced = reserveSector(image, extension.sector);
  for (const section of extension.sections) {
    section.misplaced = undefined;
    if (section.bitmap === undefined) continue;
    for (const sector of pagesOf(section.bitmap)) {
      const misplaced = reserveSector(image, sector);
      if (misplaced !== undefined) section.misplaced ??= `bitmap ${section.bitmap.id}: ${misplaced}`;
    }
  }
}

/** Marks a cluster that may be one of an extension as used. */
export function reserveSector(image: Image, sector: number): string | undefined {
  const { engine, grid, clusterSize, medium } = image;
  const hostCluster = grid.hostClusterAt(sector);
  const inside = hostCluster >= 0 && sectorsToBytes(sector) + clusterSize <= medium.size;
  if (!inside || !Number.isInteger(hostCluster)) return `its cluster at sector ${sector} does not lie in the data area`;
  return engine.reserve(hostCluster, 1) > 0
    ? `its cluster at sector ${sector} is used by something else, too`
    : undefined;
}

/** Reads one extension cluster. */
class Reader {
  readonly #medium: Medium;
  readonly #start: number;
  readonly #end: number;
  readonly #sectorCount: number;
  readonly #stale: boolean;
  readonly #ids = new Set<string>();
  #l1Count = 0;

  constructor(medium: Medium, start: number, clusterSize: number, sectorCount: number, stale: boolean) {
    this.#medium = medium;
    this.#start = start;
    this.#end = start + clusterSize;
    this.#sectorCount = sectorCount;
    this.#stale = stale;
  }

  *read(extension: Extension): Operation<void> {
    const head = yield* this.#part(this.#start, FIRST_SECTION);
    if (!isExtension(head)) {
      extension.problem = "its magic number is wrong";
      return;
    }
    const problem = yield* this.#verify(checksumIn(head));
    // Read all the same: as far as it goes it tells which clusters somebody may still want.
    const complaint = yield* this.#sections(extension);
    extension.problem = problem ?? complaint;
    if (problem !== undefined) extension.unknown = false;
  }

  *#verify(expected: Uint8Array): Operation<string | undefined> {
    const length = this.#end - this.#start;
    if (length > LONGEST)
      return `its cluster of ${counted(length, "byte")} is longer than the ${LONGEST} that are verified`;
    const hash = md5.create();
    const buffer = new Uint8Array(Math.min(PIECE_SIZE, length));
    for (let at = this.#start + FIRST_SECTION; at < this.#end; at += buffer.length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, this.#end - at));
      yield* this.#medium.read(piece, at);
      hash.update(piece);
    }
    const found = hash.digest();
    return found.every((byte, index) => byte === expected[index]) ? undefined : "its checksum is wrong";
  }

  *#sections(extension: Extension): Operation<string | undefined> {
    const { sections } = extension;
    for (let offset = this.#start + FIRST_SECTION; offset + SECTION_HEADER <= this.#end; ) {
      const header = decodeSection(yield* this.#part(offset, SECTION_HEADER));
      if (header === undefined) return undefined;
      if (sections.length === MOST_SECTIONS) return `it has more than ${MOST_SECTIONS} sections`;
      const section: Section = { ...header, fileOffset: offset + SECTION_HEADER };
      if (section.size > this.#end - section.fileOffset)
        return `a section of ${counted(section.size, "byte")} passes the end of its cluster`;
      if (section.magic === BITMAP_MAGIC) {
        section.problem = yield* this.#bitmap(section);
      } else if (isNecessary(section)) {
        extension.unknown = true;
        return `it has a necessary feature that is not known (0x${section.magic.toString(16)})`;
      }
      sections.push(section);
      offset = section.fileOffset + padded(section.size);
    }
    return "its sections have no end";
  }

  *#bitmap(section: Section): Operation<string | undefined> {
    const { fileOffset, size } = section;
    if (size < BITMAP_HEADER) return "a bitmap's section is too short";
    const header = decodeBitmap(yield* this.#part(fileOffset, BITMAP_HEADER));
    const { id, granularity, l1Size } = header;
    const complaint = this.#complaintOf(header, size);
    if (complaint !== undefined) return `bitmap ${id} ${complaint}`;
    this.#ids.add(id);
    this.#l1Count += l1Size;
    const l1 = new Float64Array(l1Size);
    const table = fileOffset + BITMAP_HEADER;
    for (let at = 0; at < 8 * l1Size; at += PIECE_SIZE) {
      const part = yield* this.#part(table + at, Math.min(PIECE_SIZE, 8 * l1Size - at));
      if (!decodeL1(part, l1, at / 8)) return `bitmap ${id} leads beyond 2^53 bytes`;
    }
    section.bitmap = { id, granularity, sectorCount: this.#sectorCount, l1, stale: this.#stale };
    return undefined;
  }

  /** What is wrong with what a bitmap says of itself. */
  #complaintOf({ id, sectorCount, granularity, l1Size }: BitmapHeader, size: number): string | undefined {
    const expected = this.#sectorCount;
    if (sectorCount !== expected)
      return `is that of a disk of ${sectorCount === undefined ? "2^44 sectors or more" : counted(sectorCount, "sector")}, not of ${expected}`;
    if (!isPowerOfTwo(granularity)) return `has a granularity of ${counted(granularity, "sector")}, no power of two`;
    const needed = l1SizeOf(expected, granularity, this.#end - this.#start);
    if (l1Size !== needed) return `has a table of ${counted(l1Size, "entry", "entries")}, but needs ${needed}`;
    if (l1Size > (size - BITMAP_HEADER) / 8) return "has a table that passes the end of its section";
    if (l1Size > MOST_L1 - this.#l1Count) return "has a longer table than is kept in memory";
    return this.#ids.has(id) ? "is there twice" : undefined;
  }

  *#part(offset: number, length: number): Operation<Uint8Array> {
    const bytes = new Uint8Array(Math.min(length, this.#end - offset));
    yield* this.#medium.read(bytes, offset);
    return bytes;
  }
}
