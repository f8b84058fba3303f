/**
 * Valid format extensions, made by hand from the format's description alone: what the engine reads and writes is judged
 * by them, so nothing of it is used here.
 */
import { md5 } from "@noble/hashes/legacy.js";
import { FIELD, fieldOf, setField } from "./image.js";

export const SECTOR = 512;
export const MAGIC = 0xab234cef23dcea87n;
export const BITMAP_MAGIC = 0x20385fae252cb34an;
/** Flags of a section. */
export const NECESSARY = 1n;
export const TRANSIT = 2n;
/** `v2.1`: closed by software that kept the extension current. */
export const CLOSED_V21 = 0x312e3276;
/** The first section's place; before it are the magic number and the checksum. */
export const FIRST_SECTION = 24;
export const SECTION_HEADER = 24;
export const BITMAP_HEADER = 32;

export interface UnknownSection {
  magic: bigint;
  flags?: bigint;
  data: Uint8Array;
}

export interface BitmapSection {
  /** A UUID. */
  id?: string;
  flags?: bigint;
  /** In sectors. Default: the least with which the L1 table fits. */
  granularity?: number;
  /** The granules that are dirty. Default: every third. */
  dirty?: Iterable<number>;
}

export type SectionParts = UnknownSection | BitmapSection;

export interface ExtensionOptions {
  /** Default: `v2.1`. */
  inUse?: number;
  /** Where the clusters go: the extension's own, then the bitmaps', in order. Default: new ones at the file's end. */
  sectors?: readonly number[];
}

export const ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/** The image with an extension of these sections. */
export function withExtension(
  image: Uint8Array,
  sections: readonly SectionParts[] = [{}],
  { inUse = CLOSED_V21, sectors }: ExtensionOptions = {},
): Uint8Array<ArrayBuffer> {
  const clusterSize = fieldOf(image, FIELD.tracks) * SECTOR;
  const next = placesOf(image, sectors);
  const own = next();
  const contents = new Map<number, Uint8Array>();
  const encoded = sections.map((section) =>
    "magic" in section
      ? encodeSection(section)
      : encodeBitmap(image, section, (bytes) => {
          const sector = next();
          contents.set(sector, bytes);
          return sector;
        }),
  );
  contents.set(own, encodeExtension(clusterSize, encoded));
  const end = (Math.max(...contents.keys()) + clusterSize / SECTOR) * SECTOR;
  const file = new Uint8Array(Math.max(image.length, end));
  file.set(image);
  for (const [sector, bytes] of contents) file.set(bytes, sector * SECTOR);
  setField(file, FIELD.inUse, inUse);
  setField(file, FIELD.extensionLow, own);
  return file;
}

/** An extension's cluster of sections that are encoded. */
export function encodeExtension(clusterSize: number, sections: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const cluster = new Uint8Array(clusterSize);
  new DataView(cluster.buffer).setBigUint64(0, MAGIC, true);
  let offset = FIRST_SECTION;
  for (const section of sections) {
    if (offset + section.length + SECTION_HEADER > clusterSize)
      throw new RangeError("the sections do not fit into a cluster");
    cluster.set(section, offset);
    offset += section.length;
  }
  return sealed(cluster);
}

/** An extension's cluster with the checksum that it ought to have. */
export function sealed(cluster: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(cluster);
  copy.set(md5(copy.subarray(FIRST_SECTION)), 8);
  return copy;
}

export function encodeSection({ magic, flags = 0n, data }: UnknownSection): Uint8Array {
  const bytes = new Uint8Array(SECTION_HEADER + Math.ceil(data.length / 8) * 8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, magic, true);
  view.setBigUint64(8, flags, true);
  view.setUint32(16, data.length, true);
  bytes.set(data, SECTION_HEADER);
  return bytes;
}

function encodeBitmap(
  image: Uint8Array,
  { id = ID, flags = 0n, granularity, dirty }: BitmapSection,
  place: (bytes: Uint8Array) => number,
): Uint8Array {
  const clusterSize = fieldOf(image, FIELD.tracks) * SECTOR;
  const size = sectorCountOf(image);
  const sectors = granularity ?? leastGranularity(size, clusterSize);
  const granules = Math.ceil(size / sectors);
  const bits = bitsOf(granules, dirty ?? everyThird(granules));
  const l1Size = l1SizeOf(granules, clusterSize);
  const data = new Uint8Array(BITMAP_HEADER + 8 * l1Size);
  const view = new DataView(data.buffer);
  view.setBigUint64(0, BigInt(size), true);
  data.set(uuidBytes(id), 8);
  view.setUint32(24, sectors, true);
  view.setUint32(28, l1Size, true);
  for (let index = 0; index < l1Size; index++) {
    const part = new Uint8Array(clusterSize);
    part.set(bits.subarray(index * clusterSize, (index + 1) * clusterSize));
    const count = Math.min(8 * clusterSize, granules - index * 8 * clusterSize);
    view.setBigUint64(BITMAP_HEADER + 8 * index, BigInt(uniform(part, count) ?? place(part)), true);
  }
  return encodeSection({ magic: BITMAP_MAGIC, flags, data });
}

/** How many clusters of bitmap bytes as many granules have. */
export const l1SizeOf = (granules: number, clusterSize: number): number =>
  Math.ceil((Math.ceil(granules / 64) * 8) / clusterSize);

function leastGranularity(size: number, clusterSize: number): number {
  const room = (clusterSize - FIRST_SECTION - 2 * SECTION_HEADER - BITMAP_HEADER) / 8;
  let granularity = 1;
  while (l1SizeOf(Math.ceil(size / granularity), clusterSize) > room) granularity *= 2;
  return granularity;
}

const everyThird = (granules: number): number[] =>
  Array.from({ length: Math.min(4096, Math.ceil(granules / 3)) }, (_, index) => 3 * index);

function bitsOf(granules: number, dirty: Iterable<number>): Uint8Array {
  const bits = new Uint8Array(Math.ceil(granules / 64) * 8);
  for (const granule of dirty) bits[granule >> 3] |= 1 << (granule & 7);
  return bits;
}

/** 0 or 1 where all bits that count are so. */
function uniform(bits: Uint8Array, count: number): 0 | 1 | undefined {
  if (bits.every((byte) => byte === 0)) return 0;
  for (let bit = 0; bit < count; bit++) if ((bits[bit >> 3] & (1 << (bit & 7))) === 0) return undefined;
  return 1;
}

export function uuidBytes(id: string): Uint8Array {
  return Uint8Array.from(id.replaceAll("-", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The disk's size in sectors. */
export function sectorCountOf(image: Uint8Array): number {
  const high = isV1(image) ? 0 : fieldOf(image, FIELD.sectorCountHigh);
  return high * 2 ** 32 + fieldOf(image, FIELD.sectorCountLow);
}

export const isV1 = (image: Uint8Array): boolean => image[6] === "t".charCodeAt(0);

/** A sector from which clusters lie on the grid of the image. */
export function originOf(image: Uint8Array): number {
  const [dataOffset, entries] = [fieldOf(image, FIELD.dataOffset), fieldOf(image, FIELD.batEntries)];
  if (dataOffset !== 0) return dataOffset;
  for (let entry = 0; entry < entries; entry++) {
    const sector = fieldOf(image, 64 + 4 * entry);
    if (sector !== 0) return sector;
  }
  const own = fieldOf(image, FIELD.extensionLow);
  if (own !== 0) return own;
  return Math.ceil((64 + 4 * entries) / SECTOR);
}

/** Names one place after the other. */
function placesOf(image: Uint8Array, sectors: readonly number[] | undefined): () => number {
  const tracks = fieldOf(image, FIELD.tracks);
  const origin = originOf(image);
  const places = sectors?.values();
  let end = origin + Math.ceil(Math.max(0, image.length / SECTOR - origin) / tracks) * tracks;
  return () => {
    const given = places?.next().value;
    if (places !== undefined && given === undefined) throw new RangeError("there are too few sectors");
    if (given !== undefined) return given;
    end += tracks;
    return end - tracks;
  };
}
