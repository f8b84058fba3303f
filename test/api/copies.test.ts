import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { hostBytes, makeImage } from "../support/image.js";
import { patternBytes } from "../support/random.js";
import { SpyStorage, type Transfer } from "../support/storages.js";

const TRACKS = 8;
const CLUSTER_SIZE = TRACKS * 512;
const DATA_START = CLUSTER_SIZE;

/** Four clusters in a row, a hole, two in a row elsewhere, one alone. */
const image = makeImage({ format: "v2", tracks: TRACKS, hosts: [0, 1, 2, 3, -1, 6, 7, 5] });

/** What a transfer asked of which memory. */
const place = ({ verb, offset, buffer }: Transfer) => ({
  verb,
  offset,
  memory: buffer?.buffer,
  byteOffset: buffer?.byteOffset,
  length: buffer?.byteLength,
});

describe.each(combinations)("Guest data ($face face, $engine engine)", ({ face, engine }) => {
  async function openSpied() {
    const storage = new SpyStorage(new MemoryStorage(image));
    const disk = await openDisk(face, storage, { engine });
    await disk.write(new Uint8Array(0), 0);
    storage.transfers = [];
    return { storage, disk };
  }

  it.each([
    { offset: 0, length: 4 * CLUSTER_SIZE },
    { offset: 1, length: 1 },
    { offset: CLUSTER_SIZE - 3, length: 7 },
    { offset: 513, length: 3 * CLUSTER_SIZE + 99 },
  ])("of one extent goes from the file straight into the caller's buffer: $length bytes at $offset", async (range) => {
    const { storage, disk } = await openSpied();
    const memory = new ArrayBuffer(8 * CLUSTER_SIZE);
    const buffer = new Uint8Array(memory, 77, range.length);
    await disk.read(buffer, range.offset);
    expect(storage.transfers.map(place)).toEqual([
      { verb: "read", offset: DATA_START + range.offset, memory, byteOffset: 77, length: range.length },
    ]);
    expect(storage.transfers[0]?.buffer?.buffer).toBe(memory);
  });

  it("takes one request for each run of neighbours in the file, and none for what is not there", async () => {
    const { storage, disk } = await openSpied();
    const memory = new ArrayBuffer(9 * CLUSTER_SIZE);
    await disk.read(new Uint8Array(memory, 5, 7 * CLUSTER_SIZE + 100), 50);
    const at = (cluster: number) => DATA_START + cluster * CLUSTER_SIZE;
    const within = (guestOffset: number) => 5 + guestOffset - 50;
    expect(storage.transfers.map(place)).toEqual([
      { verb: "read", offset: at(0) + 50, memory, byteOffset: 5, length: 4 * CLUSTER_SIZE - 50 },
      { verb: "read", offset: at(6), memory, byteOffset: within(5 * CLUSTER_SIZE), length: 2 * CLUSTER_SIZE },
      { verb: "read", offset: at(5), memory, byteOffset: within(7 * CLUSTER_SIZE), length: 150 },
    ]);
  });

  it("to be written to one extent goes straight from the caller's buffer into the file", async () => {
    const { storage, disk } = await openSpied();
    await disk.write(new Uint8Array(1), 0); // marks the image
    storage.transfers = [];
    const memory = patternBytes(1, 8 * CLUSTER_SIZE).buffer;
    await disk.write(new Uint8Array(memory, 33, 3 * CLUSTER_SIZE), 100);
    expect(storage.transfers.map(place)).toEqual([
      { verb: "write", offset: DATA_START + 100, memory, byteOffset: 33, length: 3 * CLUSTER_SIZE },
    ]);
  });

  it("to be written to new clusters goes straight from the caller's buffer, too, in one request", async () => {
    const { storage, disk } = await openSpied();
    const memory = patternBytes(1, 8 * CLUSTER_SIZE).buffer;
    await disk.write(new Uint8Array(memory, 33, CLUSTER_SIZE), 4 * CLUSTER_SIZE);
    const data = storage.of("write").filter(({ offset }) => offset >= DATA_START);
    expect(data.map(place)).toEqual([
      { verb: "write", offset: DATA_START + 4 * CLUSTER_SIZE, memory, byteOffset: 33, length: CLUSTER_SIZE },
    ]);
    expect(storage.of("read")).toEqual([]);
  });

  it("of the base is not read for clusters that a write covers, and only around it for others", async () => {
    const base = new SpyStorage(new MemoryStorage(patternBytes(2, 8 * CLUSTER_SIZE)));
    const empty = makeImage({ format: "v1", tracks: TRACKS, hosts: Array<number>(8).fill(-1) });
    const disk = await openDisk(face, new MemoryStorage(empty), { engine, base });
    base.transfers = []; // opening asks for a byte
    await disk.write(patternBytes(3, 2 * CLUSTER_SIZE), CLUSTER_SIZE);
    expect(base.transfers).toEqual([]);
    await disk.write(patternBytes(3, 2 * CLUSTER_SIZE), 4 * CLUSTER_SIZE + 100);
    expect(base.transfers.map(({ offset, length }) => [offset, length])).toEqual([
      [4 * CLUSTER_SIZE, 100],
      [6 * CLUSTER_SIZE + 100, CLUSTER_SIZE - 100],
    ]);
    await disk.close();
    expect(base.of("close")).toEqual([]);
    expect(base.of("write")).toEqual([]);
  });

  it("of a base lands in the caller's buffer without a stop", async () => {
    const base = new SpyStorage(new MemoryStorage(patternBytes(2, 8 * CLUSTER_SIZE)));
    const disk = await openDisk(face, new MemoryStorage(image), { engine, base });
    base.transfers = []; // opening asks for a byte
    const memory = new ArrayBuffer(CLUSTER_SIZE + 50);
    await disk.read(new Uint8Array(memory, 50, CLUSTER_SIZE), 4 * CLUSTER_SIZE);
    expect(base.transfers.map(place)).toEqual([
      { verb: "read", offset: 4 * CLUSTER_SIZE, memory, byteOffset: 50, length: CLUSTER_SIZE },
    ]);
  });

  it("written to a disk leaves the buffer as it was", async () => {
    const { disk } = await openSpied();
    const bytes = patternBytes(4, 3 * CLUSTER_SIZE);
    await disk.write(bytes, 3 * CLUSTER_SIZE + 5);
    expect(bytes).toEqual(patternBytes(4, 3 * CLUSTER_SIZE));
    expect(await readRange(disk, CLUSTER_SIZE, CLUSTER_SIZE)).toEqual(new Uint8Array(hostBytes(1, TRACKS)));
  });
});
