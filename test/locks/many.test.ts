/** Nothing bounds how many requests may be in flight on a disk: they all end, here and behind a port. */
import { describe, expect, test } from "vitest";
import { Disk } from "../../src/disk.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { connectDisk } from "../../src/worker/connect.js";
import { serveDisk } from "../../src/worker/serve.js";
import { below, patternBytes, randomFrom } from "../support/random.js";

const MANY = 30_000;
const CLUSTER = 4096;
const CLUSTERS = 2000;
const LENGTH = 64;
const content = patternBytes(1, CLUSTERS * CLUSTER);

/** Keeps reads waiting until so many are there. */
class CrowdedStorage implements Storage {
  readonly #memory: MemoryStorage;
  #missing = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(memory: MemoryStorage) {
    this.#memory = memory;
  }

  waitFor(reads: number): void {
    this.#missing = reads;
  }

  async read(buffer: Uint8Array, offset: number): Promise<number> {
    if (--this.#missing > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    for (const go of this.#waiting.splice(0)) go();
    return this.#memory.read(buffer, offset);
  }

  write = (buffer: Uint8Array, offset: number) => this.#memory.write(buffer, offset);
  size = () => this.#memory.size();
  truncate = (size: number) => this.#memory.truncate(size);
  flush = () => this.#memory.flush();
  close = () => this.#memory.close();
}

async function begin() {
  const storage = new CrowdedStorage(new MemoryStorage());
  const disk = await Disk.create(storage, { size: content.length, clusterSize: CLUSTER });
  await disk.write(content, 0);
  await disk.flush();
  return { storage, disk };
}

type Reader = Pick<Disk, "read">;

/** Reads all over a disk, all at once; answers how many read something else than there is. */
async function readMany(disk: Reader, meanwhile: () => void = () => {}): Promise<number> {
  const random = randomFrom(3);
  const reads: Promise<boolean>[] = [];
  for (let count = 0; count < MANY; count++) {
    if (count === MANY / 2) meanwhile();
    const at = below(random, content.length - LENGTH);
    const bytes = new Uint8Array(LENGTH);
    reads.push(disk.read(bytes, at).then(() => Buffer.compare(bytes, content.subarray(at, at + LENGTH)) !== 0));
  }
  const wrong = await Promise.all(reads);
  return wrong.filter(Boolean).length;
}

describe(`${MANY} reads in flight`, () => {
  test("all end, and read what there is", async () => {
    const { storage, disk } = await begin();
    storage.waitFor(MANY);
    expect(await readMany(disk)).toBe(0);
    await disk.close();
  });

  test("all end, half of them behind a write of the whole disk and a check", async () => {
    const { storage, disk } = await begin();
    storage.waitFor(MANY / 2);
    const others: Promise<unknown>[] = [];
    const wrong = await readMany(disk, () => others.push(disk.write(content, 0), disk.check()));
    await Promise.all(others);
    expect(wrong).toBe(0);
    await disk.close();
  });

  test("all end behind a port", async () => {
    const { storage, disk } = await begin();
    const { port1, port2 } = new MessageChannel();
    serveDisk(port1, disk);
    const remote = await connectDisk(port2);
    storage.waitFor(MANY);
    expect(await readMany(remote)).toBe(0);
    await remote.close();
  });
});
