/**
 * The format extension: a cluster that describes features beyond the BAT, of which dirty bitmaps are known.
 * It is decoded part by part; every count in it is untrusted.
 *
 * ```
 * 0        8        24
 * | magic  | MD5    | section | section | ... | zeros |
 * section: | magic 8 | flags 8 | data_size 4 | unused 4 | data, padded to 8 |
 * bitmap:  | size 8 | id 16 | granularity 4 | l1_size 4 | l1_size x 8 |
 * ```
 *
 * The MD5 is that of the cluster from byte 24 to its end. Sizes and granularities are in sectors.
 */

import { encodeUuid, formatUuid } from "./uuid.js";

const MAGIC = 0xab234cef23dcea87n;
export const BITMAP_MAGIC = 0x20385fae252cb34an;
/** Bits of a section's flags. */
const NECESSARY = 1n;
const TRANSIT = 2n;
const MAX_SECTOR = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / 512));

/** L1 values that name no cluster: all clear, all set. */
export const ALL_CLEAR = 0;
export const ALL_SET = 1;

/** Where the first section begins in the cluster; before it are the magic number and the checksum. */
export const FIRST_SECTION = 24;
export const SECTION_HEADER = 24;
/** What precedes the L1 table in a bitmap's data. */
export const BITMAP_HEADER = 32;

export interface SectionHeader {
  magic: bigint;
  flags: bigint;
  /** Bytes of data, without the padding to 8. */
  size: number;
}

/** Who cannot load the section may change nothing in the image. */
export const isNecessary = ({ flags }: Pick<SectionHeader, "flags">): boolean => (flags & NECESSARY) !== 0n;

/** Who does not know the section keeps it as it is. */
export const isTransit = ({ flags }: Pick<SectionHeader, "flags">): boolean => (flags & TRANSIT) !== 0n;

/** What precedes a bitmap's L1 table. */
export interface BitmapHeader {
  /** The size of the disk, in sectors; undefined beyond 2^53 bytes. */
  sectorCount: number | undefined;
  /** A UUID in its usual form, in small letters. */
  id: string;
  /** Sectors that one bit stands for. */
  granularity: number;
  l1Size: number;
}

/** Whether a cluster begins like an extension. */
export function isExtension(bytes: Uint8Array): boolean {
  return bytes.length >= FIRST_SECTION && viewOf(bytes).getBigUint64(0, true) === MAGIC;
}

/** The first bytes of the cluster, before the sections. */
export function encodeStart(checksum: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FIRST_SECTION);
  viewOf(bytes).setBigUint64(0, MAGIC, true);
  bytes.set(checksum, 8);
  return bytes;
}

/** The checksum in the first bytes of the cluster. */
export const checksumIn = (start: Uint8Array): Uint8Array => start.subarray(8, FIRST_SECTION);

/** Decodes a section's header; undefined at the end of the features. */
export function decodeSection(bytes: Uint8Array): SectionHeader | undefined {
  const view = viewOf(bytes);
  const magic = view.getBigUint64(0, true);
  if (magic === 0n) return undefined;
  return { magic, flags: view.getBigUint64(8, true), size: view.getUint32(16, true) };
}

export function encodeSection({ magic, flags, size }: SectionHeader): Uint8Array {
  const bytes = new Uint8Array(SECTION_HEADER);
  const view = viewOf(bytes);
  view.setBigUint64(0, magic, true);
  view.setBigUint64(8, flags, true);
  view.setUint32(16, size, true);
  return bytes;
}

/** The bytes that data takes in the cluster. */
export const padded = (size: number): number => Math.ceil(size / 8) * 8;

export function decodeBitmap(bytes: Uint8Array): BitmapHeader {
  const view = viewOf(bytes);
  const size = view.getBigUint64(0, true);
  return {
    sectorCount: size > MAX_SECTOR ? undefined : Number(size),
    id: formatUuid(bytes.subarray(8, 24)),
    granularity: view.getUint32(24, true),
    l1Size: view.getUint32(28, true),
  };
}

/** A bitmap's data: its header and its L1 table. */
export function encodeBitmap(
  { sectorCount, id, granularity }: { sectorCount: number; id: string; granularity: number },
  l1: ArrayLike<number>,
): Uint8Array {
  const bytes = new Uint8Array(BITMAP_HEADER + 8 * l1.length);
  const view = viewOf(bytes);
  view.setBigUint64(0, BigInt(sectorCount), true);
  bytes.set(encodeUuid(id), 8);
  view.setUint32(24, granularity, true);
  view.setUint32(28, l1.length, true);
  for (let page = 0; page < l1.length; page++) view.setBigUint64(BITMAP_HEADER + 8 * page, BigInt(l1[page]), true);
  return bytes;
}

/** Decodes a part of an L1 table into `l1`, from an index on; answers whether all of it can be addressed exactly. */
export function decodeL1(entries: Uint8Array, l1: Float64Array, from: number): boolean {
  const view = viewOf(entries);
  for (let offset = 0; offset + 8 <= entries.length; offset += 8) {
    const sector = view.getBigUint64(offset, true);
    if (sector > MAX_SECTOR) return false;
    l1[from + offset / 8] = Number(sector);
  }
  return true;
}

/** How many bits a bitmap has. */
export const bitCountOf = (sectorCount: number, granularity: number): number => Math.ceil(sectorCount / granularity);

/** How many L1 entries a bitmap has that lies in clusters of `clusterSize` bytes: its bytes are whole words of 64 bits. */
export function l1SizeOf(sectorCount: number, granularity: number, clusterSize: number): number {
  return Math.ceil((Math.ceil(bitCountOf(sectorCount, granularity) / 64) * 8) / clusterSize);
}

export const isPowerOfTwo = (value: number): boolean =>
  typeof value === "number" && value > 0 && Math.log2(value) % 1 === 0;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
