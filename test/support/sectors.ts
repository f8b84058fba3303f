/** Sectors that say which version of which sector they are, whole or not at all. */
export const SECTOR = 512;
const WORDS = SECTOR / 4;

/** Sectors from `first` on, all of one version; version 0 is zeros. */
export function sectorsOf(first: number, count: number, version: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(count * WORDS);
  if (version !== 0) {
    for (let index = 0; index < words.length; index++) words[index] = wordOf(first, version, index);
  }
  return new Uint8Array(words.buffer);
}

/** The version of a sector; undefined if it is none of this sector. */
export function versionOf(bytes: Uint8Array, sector: number): number | undefined {
  const words = new DataView(bytes.buffer, bytes.byteOffset, SECTOR);
  const version = words.getUint32(0, true);
  for (let index = 1; index < WORDS; index++) {
    if (words.getUint32(4 * index, true) !== (version === 0 ? 0 : wordOf(sector, version, index))) return undefined;
  }
  return version;
}

/** The version, the sector, then noise that follows from both. */
function wordOf(first: number, version: number, index: number): number {
  const sector = first + Math.floor(index / WORDS);
  if (index % WORDS === 0) return version;
  if (index % WORDS === 1) return sector;
  return (Math.imul(version, 0x9e3779b1) ^ Math.imul(sector, 0x85ebca6b) ^ Math.imul(index % WORDS, 0xc2b2ae35)) >>> 0;
}
