/** A format extension with a dirty bitmap, which nothing that the engine does may touch as long as it does not know better. */

import { patternBytes } from "../support/random.js";
import { SECTOR } from "./crash-storage.js";

const MAGIC = 0xab234cef23dcea87n;
const BITMAP_MAGIC = 0x20385fae252cb34an;
const EXTENSION_OFFSET = 56;
const FIRST_SECTION = 24;
const BITMAP_DATA = 48;
const L1_TABLE = 80;

/** Bytes of an image that stay as they are. */
export interface Kept {
  offset: number;
  bytes: Uint8Array;
}

/** The image with two more clusters at its end: an extension, and the bitmap that it describes. */
export function withExtension(image: Uint8Array, clusterSize: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(image.length + 2 * clusterSize);
  const bitmap = image.length + clusterSize;
  bytes.set(image);
  bytes.set(patternBytes(0xb17, clusterSize), bitmap);
  new DataView(bytes.buffer).setUint32(EXTENSION_OFFSET, image.length / SECTOR, true);
  const view = new DataView(bytes.buffer, image.length);
  view.setBigUint64(0, MAGIC, true);
  view.setBigUint64(FIRST_SECTION, BITMAP_MAGIC, true);
  view.setUint32(FIRST_SECTION + 16, L1_TABLE + 8 - BITMAP_DATA, true);
  view.setUint32(BITMAP_DATA + 28, 1, true);
  view.setBigUint64(L1_TABLE, BigInt(bitmap / SECTOR), true);
  return bytes;
}

/** Those two clusters. */
export function extensionOf(image: Uint8Array, clusterSize: number): Kept {
  const offset = image.length - 2 * clusterSize;
  return { offset, bytes: image.slice(offset) };
}
