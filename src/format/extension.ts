/**
 * The format extension: a cluster that describes features beyond the BAT, of which dirty bitmaps are known.
 * It may be 2 GiB long, so it is decoded part by part; every count in it is untrusted.
 *
 * ```
 * 0        8        24
 * | magic  | MD5    | section | section | ... | zeros |
 * section: | magic 8 | flags 8 | data_size 4 | unused 4 | data, padded to 8 |
 * bitmap:  | size 8 | id 16 | granularity 4 | l1_size 4 | l1_size x 8 |
 * ```
 */

const MAGIC = 0xab234cef23dcea87n;
const BITMAP_MAGIC = 0x20385fae252cb34an;
const NECESSARY = 1n;
/** L1 values that name no cluster: all clear, all set. */
const L1_NO_CLUSTER = 1n;
const MAX_SECTOR = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / 512));

/** Where the first section begins in the cluster; before it are the magic number and the checksum. */
export const FIRST_SECTION = 24;
export const SECTION_HEADER = 24;
/** What precedes the L1 table in a bitmap's data. */
export const BITMAP_HEADER = 32;

export interface Section {
  magic: bigint;
  /** Nothing may be changed in the image by who does not understand it. */
  necessary: boolean;
  isBitmap: boolean;
  /** Bytes of data, without the padding to 8. */
  size: number;
}

/** Whether a cluster begins like an extension. */
export function isExtension(bytes: Uint8Array): boolean {
  return bytes.length >= FIRST_SECTION && viewOf(bytes).getBigUint64(0, true) === MAGIC;
}

/** Decodes a section's header; undefined at the end of the features. */
export function decodeSection(bytes: Uint8Array): Section | undefined {
  const view = viewOf(bytes);
  const magic = view.getBigUint64(0, true);
  if (magic === 0n) return undefined;
  const necessary = (view.getBigUint64(8, true) & NECESSARY) !== 0n;
  return { magic, necessary, isBitmap: magic === BITMAP_MAGIC, size: view.getUint32(16, true) };
}

/** How many entries a bitmap's header says that its L1 table has. */
export function decodeL1Size(bitmapHeader: Uint8Array): number {
  return viewOf(bitmapHeader).getUint32(28, true);
}

/** The sectors of the bitmap clusters that a part of an L1 table names; undefined for one beyond 2^53 bytes. */
export function* decodeL1(entries: Uint8Array): Generator<number | undefined> {
  const view = viewOf(entries);
  for (let offset = 0; offset + 8 <= entries.length; offset += 8) {
    const sector = view.getBigUint64(offset, true);
    if (sector > L1_NO_CLUSTER) yield sector > MAX_SECTOR ? undefined : Number(sector);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
