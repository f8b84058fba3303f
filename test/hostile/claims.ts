/** Small files that claim much: none may cost more than what it holds, or take more time than reading that. */
import { encodeHeader, type Header } from "../../src/format/header.js";
import type { Part } from "../support/sparse-storage.js";

const GIBIBYTE = 2 ** 30;

export interface Claim {
  name: string;
  /** The file's length in bytes; what no part covers is a hole. */
  size: number;
  parts: Part[];
}

function claim(name: string, size: number, header: Partial<Header>, parts: Part[] = []): Claim {
  const bytes = encodeHeader({
    format: "v2",
    heads: 16,
    cylinders: 1,
    tracks: 2048,
    batEntries: 0,
    sectorCount: 2 ** 20,
    inUse: 0,
    dataOffset: 2048,
    flags: 0,
    extensionOffset: 0,
    ...header,
  });
  return { name, size, parts: [{ offset: 0, bytes }, ...parts] };
}

const words = (offset: number, ...values: number[]): Part => ({
  offset,
  bytes: new Uint8Array(Uint32Array.from(values).buffer),
});

/** Where the data area of an image in clusters of 512 bytes begins, with 40 entries. */
const SMALL = { tracks: 1, batEntries: 40, sectorCount: 40, dataOffset: 1 };
const LARGE_CLUSTER = 4_186_112;
const EXTENSION = [0x23dcea87, 0xab234cef];

function extension(name: string, ...parts: Part[]): Claim {
  const header = { tracks: LARGE_CLUSTER, batEntries: 1, sectorCount: 100, dataOffset: LARGE_CLUSTER };
  const start = LARGE_CLUSTER * 512;
  const moved = parts.map(({ offset, bytes }) => ({ offset: offset + start, bytes }));
  return claim(name, 2 * start, { ...header, extensionOffset: LARGE_CLUSTER }, moved);
}

/** Entries that lie further apart each time, the last at the end of a file of 2 TiB. */
const doubling = Array.from({ length: 31 }, (_, power) => 2 ** (power + 1));

export const claims: readonly Claim[] = [
  claim("an ordinary image", 2 * 2 ** 20, { batEntries: 1, sectorCount: 2048 }),
  claim("a disk of 8 PiB", 512, { tracks: 1, batEntries: 0, sectorCount: 2 ** 44 - 1, dataOffset: 1 }),
  claim("a BAT of 2 GiB", 2 * GIBIBYTE + 2 ** 22, {
    batEntries: 2 ** 29 - 1,
    sectorCount: 2 ** 40,
    dataOffset: 2048 * 1025,
  }),
  claim("a BAT of 2 GiB, v1", 2 * GIBIBYTE + 2 ** 22, {
    format: "v1",
    tracks: 63,
    batEntries: 2 ** 29 - 1,
    sectorCount: 2 ** 32 - 1,
    dataOffset: 0,
  }),
  extension("an extension of 2 GiB that is a hole"),
  extension(
    "an extension of 2 GiB with one huge unknown feature",
    words(0, ...EXTENSION),
    words(24, 7, 7, 0, 0, 0x7fffff00),
  ),
  extension(
    "an extension of 2 GiB with a table of 2^28 entries",
    words(0, ...EXTENSION),
    words(24, 0x252cb34a, 0x20385fae, 0, 0, 32 + 8 * 0xff00000),
    words(24 + 24 + 28, 0xff00000),
  ),
  claim("an entry at the end of 2 TiB", 2 ** 41, SMALL, [words(64, 2 ** 32 - 2)]),
  claim("entries further and further away in 2 TiB", 2 ** 41, SMALL, [words(64, ...doubling, 2 ** 32 - 2)]),
  claim(
    "entries nearer and nearer in 2 TiB, off the grid",
    2 ** 41,
    { ...SMALL, format: "v1", tracks: 2, dataOffset: 0 },
    [words(64, ...doubling.map((entry) => entry + 1).reverse())],
  ),
  claim(
    "an entry on the grid at the end of 2 TiB, others off it",
    2 ** 41,
    { ...SMALL, format: "v1", tracks: 2, dataOffset: 0 },
    [words(64, 2, 4, 6, 8, 2 ** 32 - 3)],
  ),
];

/** An image that says it is empty, whatever its BAT of 256 MiB holds; it may be written to. */
export const emptyWithLongBat: Claim = claim(
  "an empty flag over a BAT of 256 MiB",
  257 * 2048 * 512,
  { batEntries: 2 ** 26 - 16, sectorCount: 2 ** 36, dataOffset: 2048 * 257, flags: 1 },
  [words(64, 257), words(64 + 2 ** 27, 3, 4, 5)],
);
