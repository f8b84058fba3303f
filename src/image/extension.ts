/** The format extension of an open image: which clusters it and its bitmaps lie in, which nothing may overwrite. */
import { counted } from "../count.js";
import {
  BITMAP_HEADER,
  decodeL1,
  decodeL1Size,
  decodeSection,
  FIRST_SECTION,
  isExtension,
  SECTION_HEADER,
} from "../format/extension.js";
import type { Medium } from "../medium/medium.js";
import type { Operation } from "../operation.js";
import { eachBlock } from "./blocks.js";
import { sectorsToBytes } from "./grid.js";
import type { Image } from "./image.js";

/** Where the format extension says that its clusters begin, its own first. */
export interface FoundExtension {
  sectors: readonly number[];
  /** Why its layout cannot be trusted. */
  problem: string | undefined;
}

/** Reads where the extension's clusters lie, wherever that is. */
export function* findExtension(image: Image): Operation<FoundExtension> {
  const { header, clusterSize, medium, grid } = image;
  const own = header.extensionOffset;
  const offset = sectorsToBytes(own);
  // What lies elsewhere is no extension: its place is the problem, and is found to be one.
  if (offset < grid.dataStart || offset + clusterSize > medium.size) return { sectors: [own], problem: undefined };
  const sectors = [own];
  const problem = yield* readExtension(medium, offset, clusterSize, (sector) => sectors.push(sector));
  return { sectors, problem };
}

/** Marks the clusters of the format extension and its bitmaps as used; answers why that cannot be done. */
export function reserveExtension(image: Image, { sectors, problem }: FoundExtension): string | undefined {
  let misplaced: string | undefined;
  for (const [index, sector] of sectors.entries()) {
    const found = reserveSector(image, sector);
    if (index === 0) problem = found ?? problem;
    misplaced ??= found;
  }
  return problem ?? misplaced;
}

function reserveSector(image: Image, sector: number): string | undefined {
  const { engine, grid, clusterSize, medium } = image;
  const hostCluster = grid.hostClusterOf(sectorsToBytes(sector) / grid.entryUnit);
  const inside = hostCluster >= 0 && sectorsToBytes(sector) + clusterSize <= medium.size;
  if (!inside || !Number.isInteger(hostCluster)) return `its cluster at sector ${sector} does not lie in the data area`;
  return engine.reserve(hostCluster, 1) > 0
    ? `its cluster at sector ${sector} is used by the disk's data, too`
    : undefined;
}

/**
 * Reads an extension of `length` bytes at `start` and hands on the sectors of its bitmaps' clusters. Answers why the
 * extension cannot be trusted, if so: nothing in the image may be changed then.
 */
export function* readExtension(
  medium: Medium,
  start: number,
  length: number,
  take: (sector: number) => void,
): Operation<string | undefined> {
  const end = start + length;
  const head = yield* readPart(medium, start, end, FIRST_SECTION);
  if (!isExtension(head)) return "its magic number is wrong";
  for (let offset = start + FIRST_SECTION; offset + SECTION_HEADER <= end; ) {
    const section = decodeSection(yield* readPart(medium, offset, end, SECTION_HEADER));
    if (section === undefined) return undefined;
    const data = offset + SECTION_HEADER;
    const { magic, necessary, isBitmap, size } = section;
    if (size > end - data) return `a section of ${counted(size, "byte")} passes the end of its cluster`;
    if (!isBitmap && necessary) return `it has a necessary feature that is not known (0x${magic.toString(16)})`;
    const problem = isBitmap ? yield* readBitmap(medium, data, size, take) : undefined;
    if (problem !== undefined) return problem;
    offset = data + Math.ceil(size / 8) * 8;
  }
  return undefined;
}

function* readBitmap(
  medium: Medium,
  start: number,
  size: number,
  take: (sector: number) => void,
): Operation<string | undefined> {
  if (size < BITMAP_HEADER) return "a bitmap section is too short";
  const table = start + BITMAP_HEADER;
  const entries = decodeL1Size(yield* readPart(medium, start, table, BITMAP_HEADER));
  if (entries > (size - BITMAP_HEADER) / 8)
    return `a bitmap's table of ${counted(entries, "entry", "entries")} passes the end of its section`;
  let beyond = false;
  yield* eachBlock(medium, table, table + 8 * entries, (bytes) => {
    for (const sector of decodeL1(bytes)) {
      beyond ||= sector === undefined;
      if (!beyond) take(sector as number);
    }
  });
  return beyond ? "a bitmap's table leads beyond 2^53 bytes" : undefined;
}

function* readPart(medium: Medium, start: number, end: number, length: number): Operation<Uint8Array> {
  const bytes = new Uint8Array(Math.min(length, end - start));
  yield* medium.read(bytes, start);
  return bytes;
}
