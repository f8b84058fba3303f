/** An independent reader of format extensions, as strict as the format: it judges what the engine has written. */
import { md5 } from "@noble/hashes/legacy.js";
import {
  BITMAP_HEADER,
  BITMAP_MAGIC,
  FIRST_SECTION,
  isV1,
  l1SizeOf,
  MAGIC,
  originOf,
  SECTION_HEADER,
  SECTOR,
  sectorCountOf,
} from "./extension.js";
import { FIELD, fieldOf } from "./image.js";

export interface ReadBitmap {
  id: string;
  /** In sectors. */
  granularity: number;
  /** A bit for each granule. */
  bits: Uint8Array;
  /** Where its clusters lie. */
  sectors: number[];
}

export interface ReadSection {
  magic: bigint;
  flags: bigint;
  data: Uint8Array;
}

export interface ReadExtension {
  /** Where its cluster lies. */
  sector: number;
  sections: ReadSection[];
  bitmaps: ReadBitmap[];
}

/** The extension of an image, or undefined where it has none. @throws Error where anything of it is not as it must be */
export function readExtension(image: Uint8Array): ReadExtension | undefined {
  const sector = fieldOf(image, FIELD.extensionLow) + fieldOf(image, FIELD.extensionHigh) * 2 ** 32;
  if (sector === 0) return undefined;
  const sections = sectionsOf(clusterAt(image, sector));
  const bitmaps = sections.filter(({ magic }) => magic === BITMAP_MAGIC).map(({ data }) => readBitmap(image, data));
  requireDisjoint(image, [sector, ...bitmaps.flatMap(({ sectors }) => sectors)]);
  const ids = new Set(bitmaps.map(({ id }) => id));
  if (ids.size < bitmaps.length) throw new Error("two bitmaps have one id");
  return { sector, sections, bitmaps };
}

export const isDirty = ({ bits }: ReadBitmap, granule: number): boolean =>
  (bits[granule >> 3] & (1 << (granule & 7))) !== 0;

/** The granules that are dirty. */
export function dirtyGranules(bitmap: ReadBitmap): number[] {
  return Array.from({ length: 8 * bitmap.bits.length }, (_, granule) => granule).filter((granule) =>
    isDirty(bitmap, granule),
  );
}

function clusterAt(image: Uint8Array, sector: number): Uint8Array {
  const tracks = fieldOf(image, FIELD.tracks);
  const start = sector * SECTOR;
  if ((sector - originOf(image)) % tracks !== 0) throw new Error(`the cluster at sector ${sector} is off the grid`);
  if (start + tracks * SECTOR > image.length) throw new Error(`the cluster at sector ${sector} passes the file's end`);
  if (start < 64 + 4 * fieldOf(image, FIELD.batEntries) || sector < fieldOf(image, FIELD.dataOffset))
    throw new Error(`the cluster at sector ${sector} lies in the BAT`);
  return image.subarray(start, start + tracks * SECTOR);
}

function sectionsOf(cluster: Uint8Array): ReadSection[] {
  const view = viewOf(cluster);
  if (view.getBigUint64(0, true) !== MAGIC) throw new Error("the extension's magic number is wrong");
  const expected = md5(cluster.subarray(FIRST_SECTION));
  if (!expected.every((byte, index) => byte === cluster[8 + index]))
    throw new Error("the extension's checksum is wrong");
  const sections: ReadSection[] = [];
  for (let offset = FIRST_SECTION; ; ) {
    if (offset + SECTION_HEADER > cluster.length) throw new Error("the extension does not end");
    const magic = view.getBigUint64(offset, true);
    if (magic === 0n) return sections;
    const start = offset + SECTION_HEADER;
    const size = view.getUint32(offset + 16, true);
    if (start + size > cluster.length) throw new Error("a section passes its cluster");
    sections.push({ magic, flags: view.getBigUint64(offset + 8, true), data: cluster.slice(start, start + size) });
    offset = start + Math.ceil(size / 8) * 8;
  }
}

function readBitmap(image: Uint8Array, data: Uint8Array): ReadBitmap {
  const clusterSize = fieldOf(image, FIELD.tracks) * SECTOR;
  const view = viewOf(data);
  const [size, granularity, l1Size] = [view.getBigUint64(0, true), view.getUint32(24, true), view.getUint32(28, true)];
  if (size !== BigInt(sectorCountOf(image))) throw new Error(`a bitmap's size is ${size}, not the disk's`);
  if (granularity === 0 || (granularity & (granularity - 1)) !== 0)
    throw new Error(`a bitmap's granularity is ${granularity}`);
  const granules = Math.ceil(Number(size) / granularity);
  if (l1Size !== l1SizeOf(granules, clusterSize)) throw new Error(`a bitmap's l1_size is ${l1Size}`);
  if (data.length < BITMAP_HEADER + 8 * l1Size) throw new Error("a bitmap's table passes its section");
  const bits = new Uint8Array(Math.ceil(granules / 64) * 8);
  const sectors: number[] = [];
  for (let index = 0; index < l1Size; index++) {
    const entry = Number(view.getBigUint64(BITMAP_HEADER + 8 * index, true));
    const part = bits.subarray(index * clusterSize, (index + 1) * clusterSize);
    if (entry > 1) {
      sectors.push(entry);
      part.set(clusterAt(image, entry).subarray(0, part.length));
    } else part.fill(entry === 1 ? 0xff : 0);
  }
  for (let bit = granules; bit < 8 * bits.length; bit++) bits[bit >> 3] &= ~(1 << (bit & 7));
  return { id: uuidOf(data.subarray(8, 24)), granularity, bits, sectors };
}

/** No two of these clusters are one, nor is one of them the disk's. */
function requireDisjoint(image: Uint8Array, sectors: readonly number[]): void {
  const unit = isV1(image) ? 1 : fieldOf(image, FIELD.tracks);
  const emptyFlag = (fieldOf(image, FIELD.flags) & 1) !== 0;
  const taken = new Set<number>();
  for (let entry = 0; !emptyFlag && entry < fieldOf(image, FIELD.batEntries); entry++)
    taken.add(fieldOf(image, 64 + 4 * entry) * unit);
  for (const sector of sectors) {
    if (taken.has(sector)) throw new Error(`the cluster at sector ${sector} has two owners`);
    taken.add(sector);
  }
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
