/** What is done to a disk while one request of its storage goes wrong, and what it makes of the disk's content. */
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { ID, withExtension } from "../support/extension.js";
import type { AnyDisk } from "../support/faces.js";
import { patternBytes } from "../support/random.js";

export const CLUSTER = 4096;
/** The last cluster is cut by the disk's end. */
export const SIZE = 10 * CLUSTER - 1024;
export const BASE_SIZE = 8 * CLUSTER + 700;

export interface Scenario {
  name: string;
  /** The disk stands on raw bytes. */
  base?: boolean;
  /** It makes no request, so none can go wrong. */
  quiet?: boolean;
  /** Nobody closed the image before. */
  unclean?: boolean;
  /** The image as it lies there, before it is opened. */
  damage?(image: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** What its request makes of the disk's bitmaps. */
  bitmap?: "begins" | "goes";
  /** What is done before anything goes wrong. */
  prepare?(disk: AnyDisk, content: Uint8Array): Promise<void>;
  act(disk: AnyDisk, content: Uint8Array): unknown;
}

/** Writes to a disk and to the array that says what it holds. */
async function put(disk: AnyDisk, content: Uint8Array, tag: number, offset: number, length: number): Promise<void> {
  content.set(patternBytes(tag, length), offset);
  await disk.write(patternBytes(tag, length), offset);
}

async function drop(disk: AnyDisk, content: Uint8Array, offset: number, length: number): Promise<void> {
  content.fill(0, offset, offset + length);
  await disk.discard(offset, length);
}

/** A disk that has been changed, so that it is marked and has room ahead. */
const changed: Scenario["prepare"] = (disk, content) => put(disk, content, 20, 100, 50);

/** Entries, data and a hole that no flush has seen. */
const unflushed: Scenario["prepare"] = async (disk, content) => {
  await put(disk, content, 21, 3 * CLUSTER + 7, CLUSTER + 100);
  await put(disk, content, 22, 7 * CLUSTER, CLUSTER);
  await drop(disk, content, CLUSTER, CLUSTER);
};

/** Free clusters amid used ones: what is allocated next lies in pieces. */
const holes: Scenario["prepare"] = async (disk, content) => {
  await drop(disk, content, CLUSTER, CLUSTER);
  await drop(disk, content, 6 * CLUSTER, CLUSTER);
  await disk.flush();
};

/** Clusters in use that are all zeros. */
const zeros: Scenario["prepare"] = async (disk, content) => {
  content.fill(0, 0, 2 * CLUSTER);
  await disk.write(new Uint8Array(2 * CLUSTER), 0);
};

/** The same, where they hide the base, and behind its end. */
const zerosOverBase: Scenario["prepare"] = async (disk, content) => {
  for (const offset of [3 * CLUSTER, 9 * CLUSTER]) {
    const bytes = new Uint8Array(Math.min(CLUSTER, SIZE - offset));
    content.set(bytes, offset);
    await disk.write(bytes, offset);
  }
};

/** A dirty bitmap, as fine as sectors. */
const tracked: Scenario["damage"] = (image) => withExtension(image, [{ granularity: 1 }]);

/** Appends what nothing uses. */
const leak: Scenario["damage"] = (image) => {
  const longer = new Uint8Array(image.length + 5 * CLUSTER);
  longer.set(image);
  return longer.fill(9, image.length);
};

/** The verbs of an open disk. Images hold clusters 0, 1, 2, 4 and 6. */
export const scenarios: readonly Scenario[] = [
  { name: "read", act: (disk) => disk.read(new Uint8Array(SIZE), 0) },
  { name: "read of one extent", act: (disk) => disk.read(new Uint8Array(100), 50) },
  { name: "read over a base", base: true, act: (disk) => disk.read(new Uint8Array(SIZE), 0) },
  { name: "first write", act: (disk, content) => put(disk, content, 1, 10, CLUSTER) },
  { name: "write in place", prepare: changed, act: (disk, content) => put(disk, content, 2, CLUSTER - 9, 600) },
  { name: "write that allocates", prepare: changed, act: (disk, content) => put(disk, content, 3, 5 * CLUSTER, 100) },
  {
    name: "write into many new clusters",
    prepare: changed,
    act: (disk, content) => put(disk, content, 4, 2 * CLUSTER + 5, SIZE - 2 * CLUSTER - 5),
  },
  { name: "write into holes", prepare: holes, act: (disk, content) => put(disk, content, 5, 30, 8 * CLUSTER) },
  {
    name: "write into clusters that wait for a flush",
    prepare: unflushed,
    act: (disk, content) => put(disk, content, 6, 0, SIZE),
  },
  {
    name: "write over a base",
    base: true,
    prepare: changed,
    act: (disk, content) => put(disk, content, 7, 4 * CLUSTER - 99, 5 * CLUSTER),
  },
  {
    name: "write to an image that nobody closed",
    unclean: true,
    act: (disk, content) => put(disk, content, 8, 10, 9 * CLUSTER),
  },
  {
    name: "writeZeroes",
    prepare: changed,
    async act(disk, content) {
      content.fill(0, 300, 300 + 5 * CLUSTER);
      await disk.writeZeroes(300, 5 * CLUSTER);
    },
  },
  {
    name: "writeZeroes over a base",
    base: true,
    async act(disk, content) {
      content.fill(0, CLUSTER + 300, SIZE);
      await disk.writeZeroes(CLUSTER + 300, SIZE - CLUSTER - 300);
    },
  },
  { name: "discard", act: (disk, content) => drop(disk, content, 300, 6 * CLUSTER) },
  {
    name: "discard of the whole disk",
    prepare: unflushed,
    act: (disk, content) => drop(disk, content, 0, SIZE),
  },
  { name: "flush of nothing", quiet: true, act: (disk) => disk.flush() },
  { name: "flush of writes", prepare: changed, act: (disk) => disk.flush() },
  { name: "flush of writes and discards", prepare: unflushed, act: (disk) => disk.flush() },
  {
    name: "flush of an image with the empty flag",
    damage: withEmptyFlag,
    prepare: (disk, content) => put(disk, content, 9, 5 * CLUSTER - 5, 3 * CLUSTER),
    act: (disk) => disk.flush(),
  },
  { name: "blockStatus", quiet: true, act: (disk) => disk.status() },
  { name: "check", prepare: holes, act: (disk) => disk.check() },
  { name: "repair of leaks", damage: leak, prepare: unflushed, act: (disk) => disk.repair("leaks") },
  { name: "compact", prepare: holes, act: (disk) => disk.compact() },
  { name: "compact of zeros that wait", prepare: zeros, act: (disk) => disk.compact() },
  { name: "compact over a base", base: true, prepare: zerosOverBase, act: (disk) => disk.compact() },
  { name: "compact in guest order", prepare: unflushed, act: (disk) => disk.compact({ order: true }) },
  { name: "compact that only looks", prepare: holes, act: (disk) => disk.compact({ dryRun: true }) },
  {
    name: "first write to a disk with a bitmap",
    damage: tracked,
    act: (disk, content) => put(disk, content, 1, 10, 900),
  },
  { name: "flush of what a bitmap does not say yet", damage: tracked, prepare: changed, act: (disk) => disk.flush() },
  {
    name: "flush of writes and discards with a bitmap",
    damage: tracked,
    prepare: unflushed,
    act: (disk) => disk.flush(),
  },
  { name: "compact with a bitmap", damage: tracked, prepare: holes, act: (disk) => disk.compact() },
  { name: "first bitmap", prepare: changed, bitmap: "begins", act: (disk) => disk.addBitmap({ id: ID }) },
  {
    name: "bitmap that begins anew",
    damage: tracked,
    prepare: changed,
    bitmap: "begins",
    act: (disk) => disk.clearBitmap(ID),
  },
  { name: "removal of a bitmap", damage: tracked, bitmap: "goes", act: (disk) => disk.removeBitmap(ID) },
  { name: "repair of nothing", quiet: true, act: (disk) => disk.repair("all") },
];

/** An image in a memory storage, with what it reads as. */
export interface Sample {
  image: Uint8Array<ArrayBuffer>;
  content: Uint8Array<ArrayBuffer>;
}

export const baseBytes = (): Uint8Array<ArrayBuffer> => patternBytes(77, BASE_SIZE);

/** Opens a disk on a memory: the test says how. */
export type Make = (memory: MemoryStorage, format: Format) => Promise<AnyDisk>;

/** An image with clusters 0, 1, 2, 4 and 6, in another order in the file. */
export async function makeSample(create: Make, format: Format, scenario: Partial<Scenario>): Promise<Sample> {
  const memory = new MemoryStorage();
  const disk = await create(memory, format);
  const content = new Uint8Array(SIZE);
  if (scenario.base) content.set(baseBytes());
  for (const cluster of [4, 0, 1, 6, 2]) await put(disk, content, 100 + cluster, cluster * CLUSTER, CLUSTER);
  if (scenario.unclean) await disk.flush();
  else await disk.close();
  const image = scenario.damage?.(memory.toUint8Array()) ?? memory.toUint8Array();
  return { image, content: isEmpty(image) ? new Uint8Array(SIZE) : content };
}

const FLAGS = 52;

function withEmptyFlag(image: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  new DataView(image.buffer).setUint32(FLAGS, 1, true);
  return image;
}

function isEmpty(image: Uint8Array<ArrayBuffer>): boolean {
  return new DataView(image.buffer).getUint32(FLAGS, true) === 1;
}
