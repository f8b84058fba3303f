/**
 * Small files that claim much, and a program that opens each with one face and one engine and tells how much memory
 * that took: `claims FACE ENGINE`. Run in a process of its own, as a peak is that of a process.
 */

import type { EngineKind } from "../../src/engine/engine.js";
import { DiskError } from "../../src/errors.js";
import { encodeHeader, type Header } from "../../src/format/header.js";
import type { StorageSync } from "../../src/storage/storage.js";
import { type AnyDisk, type FaceKind, openDisk } from "../support/faces.js";

const PAGE = 4096;
const GIBIBYTE = 2 ** 30;

/** A file in memory that takes only what is not a hole. */
export class SparseStorage implements StorageSync {
  readonly #pages = new Map<number, Uint8Array>();
  #size: number;

  constructor(size: number, parts: readonly Part[]) {
    this.#size = size;
    for (const { offset, bytes } of parts) this.write(bytes, offset);
    this.#size = size;
  }

  /** Bytes in pages. */
  get held(): number {
    return this.#pages.size * PAGE;
  }

  read(buffer: Uint8Array, offset: number): number {
    const length = Math.max(0, Math.min(buffer.length, this.#size - offset));
    const target = buffer.subarray(0, length).fill(0);
    this.#each(offset, length, (number, from, to, at) => {
      const page = this.#pages.get(number);
      if (page) target.set(page.subarray(from, to), at);
    });
    return length;
  }

  write(buffer: Uint8Array, offset: number): number {
    this.#each(offset, buffer.length, (number, from, to, at) => {
      const part = buffer.subarray(at, at + to - from);
      const page = this.#pages.get(number);
      if (page) page.set(part, from);
      else if (part.some((byte) => byte !== 0)) {
        const fresh = new Uint8Array(PAGE);
        fresh.set(part, from);
        this.#pages.set(number, fresh);
      }
    });
    this.#size = Math.max(this.#size, offset + buffer.length);
    return buffer.length;
  }

  size(): number {
    return this.#size;
  }

  truncate(size: number): void {
    for (const number of [...this.#pages.keys()]) if (number * PAGE >= size) this.#pages.delete(number);
    this.#size = size;
  }

  flush(): void {}

  close(): void {}

  nextData(offset: number): { start: number; end: number } | undefined {
    const numbers = [...this.#pages.keys()].filter(
      (number) => (number + 1) * PAGE > offset && number * PAGE < this.#size,
    );
    if (numbers.length === 0) return undefined;
    const first = Math.min(...numbers);
    return { start: Math.max(offset, first * PAGE), end: Math.min(this.#size, (first + 1) * PAGE) };
  }

  #each(offset: number, length: number, act: (page: number, from: number, to: number, at: number) => void): void {
    for (let at = 0; at < length; ) {
      const from = (offset + at) % PAGE;
      const to = Math.min(PAGE, from + length - at);
      act(Math.floor((offset + at) / PAGE), from, to, at);
      at += to - from;
    }
  }
}

export interface Part {
  offset: number;
  bytes: Uint8Array;
}

export interface Claim {
  name: string;
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

/** Uses an image as a reader does. */
async function readAll(disk: AnyDisk): Promise<void> {
  void disk.info;
  for (let offset = 0, step = 0; offset < disk.size && step < 5; step++) {
    const runs = await disk.blockStatus(offset, disk.size - offset, 1000);
    offset = runs[runs.length - 1]!.offset + runs[runs.length - 1]!.length;
  }
  for (const offset of [0, disk.size - 512]) await tolerant(() => disk.read(new Uint8Array(512), offset));
  await disk.check();
  await disk.close();
}

async function tolerant(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}

/** Peak memory in MiB after each claim. */
async function measure(face: FaceKind, engine: EngineKind): Promise<[name: string, peak: number][]> {
  const peaks: [string, number][] = [];
  for (const { name, size, parts } of claims) {
    const storage = new SparseStorage(size, parts);
    await tolerant(async () => readAll(await openDisk(face, storage, { readOnly: true, engine })));
    (globalThis as { gc?: () => void }).gc?.();
    peaks.push([name, Math.round(process.resourceUsage().maxRSS / 1024)]);
  }
  return peaks;
}

const [, , face, engine] = process.argv;
console.log(JSON.stringify(await measure(face as FaceKind, engine as EngineKind)));
