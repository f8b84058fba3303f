/** What a drive reads ahead of its guest: fewer waits, and no byte that is not on the disk. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { V86Disk } from "../../src/adapters/v86.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { createDisk } from "../support/faces.js";
import { patternBytes, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { ShuffledStorage } from "../support/storages.js";
import { Guest } from "./guest.js";
import { ManualDisk, settled } from "./manual-disk.js";

const TRACK = 256 * 1024;
const SIZE = 2 * TRACK + 4096;

/** A drive whose disk has shown that it answers later, and has been asked for nothing else. */
async function lateDrive() {
  const disk = new ManualDisk(SIZE);
  disk.content.set(patternBytes(1, SIZE));
  const drive = new V86Disk(disk, { flushDelayMilliseconds: Infinity });
  drive.get(0, 512, () => {});
  await disk.answer();
  disk.requests.splice(0);
  const asked = () => disk.requests.splice(0).map(({ offset, bytes }) => [offset, bytes.length]);
  /** What the drive says at once; undefined where it has to ask. */
  const ask = (offset: number, length: number) => {
    const heard: { bytes?: Uint8Array } = {};
    drive.get(offset, length, (bytes) => {
      heard.bytes = bytes;
    });
    return heard;
  };
  const isThere = (heard: { bytes?: Uint8Array }, offset: number, length: number) =>
    heard.bytes !== undefined && Buffer.compare(heard.bytes, disk.content.subarray(offset, offset + length)) === 0;
  return { disk, drive, asked, ask, isThere };
}

describe("A drive of a disk that answers later", () => {
  it("asks once for what many small reads want, up to a track's end", async () => {
    const { disk, asked, ask, isThere } = await lateDrive();
    const first = ask(1024, 4096);
    await disk.answer();
    expect(isThere(first, 1024, 4096)).toBe(true);
    for (const [offset, length] of [
      [5120, 12288],
      [1024, 512],
      [TRACK - 512, 512],
    ])
      expect(isThere(ask(offset, length), offset, length)).toBe(true);
    expect(asked()).toEqual([[1024, TRACK - 1024]]);
    ask(TRACK - 512, 1024);
    ask(0, 1024);
    expect(asked()).toEqual([
      [TRACK - 512, TRACK + 512],
      [0, TRACK],
    ]);
  });

  it("asks for no more than is wanted where that is much, and not beyond its end", async () => {
    const { disk, asked, ask, isThere } = await lateDrive();
    ask(512, TRACK);
    const last = ask(2 * TRACK, 512);
    expect(asked()).toEqual([
      [512, TRACK],
      [2 * TRACK, 4096],
    ]);
    for (let request = 0; request < 2; request++) await disk.answer();
    expect(isThere(last, 2 * TRACK, 512)).toBe(true);
    expect(isThere(ask(2 * TRACK + 512, 3584), 2 * TRACK + 512, 3584)).toBe(true);
  });

  it("keeps nothing that was written since, nor what was read while something was written", async () => {
    const { disk, drive, asked, ask, isThere } = await lateDrive();
    const write = async () => {
      drive.set(8192, new Uint8Array(512).fill(7), () => {});
      await disk.answer();
      asked();
    };
    ask(0, 512);
    await disk.answer();
    await write();
    const again = ask(8192, 512);
    expect(asked()).toEqual([[8192, TRACK - 8192]]);
    await disk.answer();
    expect(isThere(again, 8192, 512)).toBe(true);

    ask(0, 512); // it is under way when the write comes
    drive.set(8192, new Uint8Array(512).fill(8), () => {});
    for (let request = 0; request < 2; request++) await disk.answer();
    asked();
    ask(8192, 512);
    expect(asked()).toEqual([[8192, TRACK - 8192]]);
    await disk.answer();

    drive.set(0, new Uint8Array(512).fill(9), () => {});
    asked();
    ask(TRACK, 512);
    expect(asked()).toEqual([[TRACK, 512]]);
  });

  it("keeps nothing that somebody else wrote since, or while it was read", async () => {
    const { disk, asked, ask, isThere } = await lateDrive();
    ask(0, 512);
    await disk.answer();
    disk.change(new Uint8Array(512).fill(7), 8192);
    const again = ask(8192, 512);
    await disk.answer();
    expect(isThere(again, 8192, 512)).toBe(true);
    ask(0, 512);
    disk.waiting[0].resolve();
    disk.change(new Uint8Array(512).fill(8), 8192);
    await settled();
    asked();
    ask(8192, 512);
    expect(asked()).toEqual([[8192, TRACK - 8192]]);
  });

  it("is told by a disk of ours whatever changes it", async () => {
    const disk = await createDisk("async", new MemoryStorage(), { size: SIZE, clusterSize: 16 * 1024 });
    const drive = new V86Disk(disk, { flushDelayMilliseconds: Infinity });
    const get = (offset: number) =>
      new Promise<number>((resolve) => drive.get(offset, 512, (bytes) => resolve(bytes[0])));
    const changes: [() => unknown, number][] = [
      [() => disk.write(new Uint8Array(16 * 1024).fill(1), 4096), 1],
      [() => disk.write(new Uint8Array(512).fill(2), 4096), 2],
      [() => disk.writeZeroes(4096, 512), 0],
      [() => disk.write(new Uint8Array(512).fill(3), 4096), 3],
      [() => disk.discard(0, 32 * 1024), 0],
    ];
    await get(0);
    for (const [change, expected] of changes) {
      await get(0); // what is read ahead of it is old soon
      await change();
      expect(await get(4096)).toBe(expected);
    }
    await drive.close();
  });

  it("reads no more than is wanted where the disk does not tell whether somebody changed it", async () => {
    const { disk, asked, ask } = await lateDrive();
    Object.assign(disk, { generation: undefined });
    ask(1024, 512);
    expect(asked()).toEqual([[1024, 512]]);
    Object.assign(disk, { readOnly: true });
    ask(1024, 512);
    expect(asked()).toEqual([[1024, TRACK - 1024]]);
  });

  it("takes for its own only the failure of what was asked for", async () => {
    const { disk, asked, ask, isThere } = await lateDrive();
    const read = ask(1024, 512);
    await disk.fail(new Error("further on"));
    expect(asked()).toEqual([
      [1024, TRACK - 1024],
      [1024, 512],
    ]);
    await disk.answer();
    expect(isThere(read, 1024, 512)).toBe(true);
    await settled();
  });

  it("forgets what it read where a state takes the place of another", async () => {
    const { disk, drive, asked, ask } = await lateDrive();
    ask(0, 512);
    await disk.answer();
    asked();
    drive.set_state(drive.get_state());
    ask(0, 512);
    expect(asked()).toEqual([[0, TRACK]]);
  });

  it("reads what its guest wrote, whenever it has time to read ahead", async () => {
    const property = fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 80 }), async (seed, count) => {
      const random = randomFrom(seed);
      const storage = new ShuffledStorage(new MemoryStorage(), random);
      const disk = await createDisk("async", storage, { size: SIZE, clusterSize: 16 * 1024 });
      const drive = new V86Disk(disk, { flushDelayMilliseconds: Infinity });
      const guest = new Guest(drive, random);
      for (let step = 0; step < count; step++) {
        guest.act();
        if (random() < 0.8) await drive.quiesce();
      }
      await drive.quiesce();
      expect(guest.answered).toBe(guest.asked);
      await drive.close();
    });
    await fc.assert(property, runs(200, 15));
  });
});

it("A drive of a disk that answers at once reads what its guest asks for, and no more", () => {
  const asked: [number, number][] = [];
  const read = (bytes: Uint8Array, offset: number) => void asked.push([offset, bytes.length]);
  const drive = new V86Disk({ size: SIZE, read });
  for (const offset of [0, 512, 1024]) drive.get(offset, 512, () => {});
  expect(asked).toEqual([
    [0, 512],
    [512, 512],
    [1024, 512],
  ]);
});
