import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { DiskSync } from "../../src/disk-sync.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { combinations, createDisk, openDisk, readRange } from "../support/faces.js";
import { makeImage } from "../support/image.js";
import { patternBytes, randomFrom } from "../support/random.js";
import { FailingStorage, SpyStorage, UntouchableStorage } from "../support/storages.js";

describe.each(combinations)("A disk ($face face, $engine engine)", ({ face, engine }) => {
  it("is a mebibyte a cluster and v2 unless asked otherwise", async () => {
    const disk = await createDisk(face, new MemoryStorage(), { size: 5 * 2 ** 20 - 512, engine });
    expect(disk).toMatchObject({
      size: 5 * 2 ** 20 - 512,
      clusterSize: 2 ** 20,
      clusterCount: 5,
      allocatedBytes: 0,
      format: "v2",
      readOnly: false,
      path: undefined,
    });
    expect(disk.info).toMatchObject({ engine, geometry: { heads: 16 }, extension: { present: false } });
    await disk.write(new Uint8Array(1), 0);
    expect(disk.allocatedBytes).toBe(2 ** 20);
    await disk.close();
  });

  it("takes bytes and nothing else, wherever they are to go", async () => {
    const disk = await createDisk(face, new MemoryStorage(), { size: 8192, clusterSize: 4096, engine });
    await disk.write(new Uint8Array(4096), 0);
    for (const offset of [0, 4096]) {
      for (const wrong of [
        undefined,
        null,
        5,
        "text",
        [1, 2],
        new ArrayBuffer(8),
        new Uint16Array(8),
        new DataView(new ArrayBuffer(8)),
      ]) {
        const buffer = wrong as unknown as Uint8Array;
        await expect(async () => disk.read(buffer, offset)).rejects.toThrow(TypeError);
        await expect(async () => disk.write(buffer, offset)).rejects.toThrow(TypeError);
      }
    }
    await disk.close();
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 8193, "0", undefined, null, 1n])(
    "refuses %s as an offset",
    async (wrong) => {
      const disk = await createDisk(face, new MemoryStorage(), { size: 8192, clusterSize: 4096, engine });
      await disk.write(patternBytes(1, 8192), 0);
      const offset = wrong as number;
      for (const request of [
        () => disk.read(new Uint8Array(0), offset),
        () => disk.read(new Uint8Array(1), offset),
        () => disk.write(new Uint8Array(1), offset),
        () => disk.discard(offset, 1),
        () => disk.writeZeroes(offset, 1),
        () => disk.discard(0, offset),
        ...(wrong === undefined ? [] : [() => disk.status(offset, 1), () => disk.status(0, offset)]),
      ]) {
        await expect(async () => request()).rejects.toThrow(RangeError);
      }
      expect(await readRange(disk)).toEqual(patternBytes(1, 8192));
      await disk.close();
    },
  );

  it("does nothing for no bytes, at its end too", async () => {
    const storage = new SpyStorage(new MemoryStorage());
    const disk = await createDisk(face, storage, { size: 8192, clusterSize: 4096, engine });
    storage.transfers = [];
    for (const offset of [0, 1, 4096, 8192]) {
      await disk.read(new Uint8Array(0), offset);
      await disk.write(new Uint8Array(0), offset);
      await disk.discard(offset, 0);
      await disk.writeZeroes(offset, 0);
      expect(await disk.status(offset, 0)).toEqual([]);
    }
    await disk.flush();
    await disk.close();
    expect(storage.transfers.map(({ verb }) => verb)).toEqual(["close"]);
  });

  it("is closed once, and refuses everything afterwards", async () => {
    const storage = new SpyStorage(new MemoryStorage());
    const disk = await createDisk(face, storage, { size: 8192, clusterSize: 4096, engine });
    await disk.write(new Uint8Array(1), 0);
    await disk.close();
    await disk.close();
    await disk.abandon();
    expect(storage.of("close").length).toBe(1);
    for (const request of [
      () => disk.read(new Uint8Array(1), 0),
      () => disk.read(new Uint8Array(0), 0),
      () => disk.write(new Uint8Array(1), 0),
      () => disk.discard(0, 1),
      () => disk.writeZeroes(0, 1),
      () => disk.flush(),
      () => disk.status(),
      () => disk.check(),
    ]) {
      await expect(async () => request()).rejects.toMatchObject({ code: "CLOSED" });
    }
  });

  it("opened for reading only never changes its storage, even where it was not closed cleanly", async () => {
    for (const inUse of [0, 0x746f6e59]) {
      const file = makeImage({ format: "v2", tracks: 8, hosts: [1, -1, 0], hostCount: 5, header: { inUse } });
      const storage = new UntouchableStorage(new MemoryStorage(file));
      const disk = await openDisk(face, storage, { engine, readOnly: true });
      await readRange(disk);
      await disk.flush();
      await disk.check();
      for (const request of [() => disk.write(new Uint8Array(1), 0), () => disk.discard(0, 4096)])
        await expect(async () => request()).rejects.toMatchObject({ code: "READ_ONLY" });
      await disk.close();
      expect(storage.closed).toBe(1);
    }
  });

  it("that cannot be made closes its storage", async () => {
    const failing = new FailingStorage(new MemoryStorage(), randomFrom(1));
    const storage = new SpyStorage(failing);
    failing.likelihood = 1;
    await expect(createDisk(face, storage, { size: 8192, engine })).rejects.toMatchObject({ code: "IO" });
    expect(storage.of("close").length).toBe(1);
  });

  it("says that it is marked as in use from its first change until it is closed", async () => {
    const memory = new MemoryStorage();
    const disk = await createDisk(face, memory, { size: 8192, clusterSize: 4096, engine });
    const inUse = () => new DataView(memory.toUint8Array().buffer).getUint32(44, true);
    expect([disk.info.inUse, inUse()]).toEqual([0, 0]);
    await disk.discard(0, 8192);
    expect([disk.info.inUse, inUse()]).toEqual([0, 0]);
    await disk.write(new Uint8Array(1), 0);
    expect([disk.info.inUse, inUse()]).toEqual([0x746f6e59, 0x746f6e59]);
    await disk.close();
    expect(inUse()).toBe(0);
  });
});

describe("A disk at the end of its block", () => {
  it("is closed by `using`", () => {
    const storage = new SpyStorage(new MemoryStorage());
    {
      using disk = DiskSync.create(storage, { size: 8192, clusterSize: 4096 });
      disk.write(new Uint8Array([1]), 0);
    }
    expect(storage.of("close").length).toBe(1);
    expect(storage.transfers.at(-1)?.verb).toBe("close");
  });

  it("is closed by `await using`, after an error too", async () => {
    const memory = new MemoryStorage();
    const work = async (): Promise<void> => {
      await using disk = await Disk.create(memory, { size: 8192, clusterSize: 4096 });
      await disk.write(new Uint8Array([1, 2, 3]), 100);
      throw new Error("in the middle");
    };
    await expect(work()).rejects.toThrow("in the middle");
    const disk = DiskSync.open(new MemoryStorage(memory.toUint8Array()));
    expect(disk.info.unclean).toBe(false);
    const buffer = new Uint8Array(3);
    disk.read(buffer, 100);
    expect([...buffer]).toEqual([1, 2, 3]);
  });

  it("leaves no storage open where closing fails, and throws the error", async () => {
    const failing = new FailingStorage(new MemoryStorage(), randomFrom(1));
    const storage = new SpyStorage(failing);
    const work = async (): Promise<void> => {
      await using disk = await Disk.create(storage, { size: 8192, clusterSize: 4096 });
      await disk.write(new Uint8Array(1), 0);
      failing.likelihood = 1;
    };
    await expect(work()).rejects.toMatchObject({ code: "IO" });
    expect(storage.of("close").length).toBe(1);
  });
});
