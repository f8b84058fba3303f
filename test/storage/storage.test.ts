import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { createFile, openFile } from "../../src/node.js";
import { FileStorage, FileStorageSync } from "../../src/storage/file.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { StorageSync } from "../../src/storage/storage.js";
import { fewCombinations } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { randomFrom } from "../support/random.js";
import { ShortStorage, ShuffledStorage } from "../support/storages.js";
import { diskCases, type StorageKit, storageCases } from "./contract.js";
import { neutralKits } from "./kits.js";

const path = temporaryFolder();

function memoryKit(
  name: string,
  faces: StorageKit["faces"],
  wrap: (memory: StorageSync) => ReturnType<StorageKit["make"]>,
): StorageKit {
  let memory: MemoryStorage;
  const open = (content: Uint8Array) => {
    memory = new MemoryStorage(content);
    return wrap(memory);
  };
  return { name, faces, make: open, reopen: () => open(memory.toUint8Array()) };
}

function fileKit(name: string, faces: StorageKit["faces"], readOnly: boolean, open: StorageKit["reopen"]): StorageKit {
  const make: StorageKit["make"] = (content) => {
    writeFileSync(path(name), content);
    return open();
  };
  return { name, faces, readOnly, make, reopen: open };
}

const kits: StorageKit[] = [
  memoryKit("MemoryStorage", ["async", "sync"], (memory) => memory),
  memoryKit("a storage with short transfers", ["async", "sync"], (memory) => new ShortStorage(memory, randomFrom(1))),
  memoryKit("a storage that answers in any order", ["async"], (memory) => new ShuffledStorage(memory, randomFrom(2))),
  fileKit("FileStorage", ["async"], false, () => FileStorage.open(path("FileStorage"))),
  fileKit("FileStorageSync", ["async", "sync"], false, () => FileStorageSync.open(path("FileStorageSync"))),
  fileKit("read-only FileStorage", ["async"], true, () =>
    FileStorage.open(path("read-only FileStorage"), { readOnly: true }),
  ),
  fileKit("read-only FileStorageSync", ["async", "sync"], true, () =>
    FileStorageSync.open(path("read-only FileStorageSync"), { readOnly: true }),
  ),
  ...neutralKits,
];

describe.each(kits)("$name", (kit) => {
  for (const { title, writes, run } of storageCases) if (!(writes && kit.readOnly)) it(title, () => run(kit));

  for (const { face, engine } of fewCombinations) {
    if (kit.faces.includes(face)) {
      for (const { title, writes, run } of diskCases) {
        if (!(writes && kit.readOnly))
          it(`carries a disk that ${title} (${face} face, ${engine} engine)`, () => run(kit, face, engine));
      }
    }
  }
});

describe("FileStorage", () => {
  it("moves more than the system does in one call, and beyond 2 GiB", async () => {
    const file = path("large");
    const opening = [() => FileStorageSync.open(file, { create: "replace" }), () => FileStorage.open(file)];
    for (const open of opening) {
      const storage = await open();
      const offset = 2 ** 33 + 1;
      expect(await storage.write(new Uint8Array([1, 2, 3]), offset)).toBe(3);
      expect(await storage.size()).toBe(offset + 3);
      const buffer = new Uint8Array(4);
      expect(await storage.read(buffer, offset)).toBe(3);
      expect([...buffer]).toEqual([1, 2, 3, 0]);
      await storage.truncate(0);
      await storage.close();
    }
    expect(readFileSync(file).length).toBe(0);
  });
});

/** A file that notes what it is asked. */
class NotedFile extends FileStorage {
  readonly log: string[] = [];

  static override async open(path: string): Promise<NotedFile> {
    return new NotedFile(path, {});
  }

  override write(buffer: Uint8Array, offset: number): Promise<number> {
    this.log.push(`write ${buffer.length}`);
    return super.write(buffer, offset);
  }
}

describe("FileStorage beneath a disk", () => {
  const clusterSize = 4096;
  const made = async (name: string) => {
    const disk = await createFile(path(name), { size: 8 * clusterSize, clusterSize, replace: true });
    await disk.write(new Uint8Array(clusterSize).fill(7), 0);
    await disk.close();
    return path(name);
  };

  it("is asked by the verbs that a class of somebody's own gives it, bound to a file or not", async () => {
    const storage = await NotedFile.open(await made("noted"));
    const disk = await Disk.open(storage);
    await disk.write(new Uint8Array(1000), 0); // the first change marks the disk
    storage.log.length = 0;
    await disk.write(new Uint8Array(1001), 0);
    const read = storage.read;
    storage.read = (buffer, offset) => {
      storage.log.push(`read ${buffer.length}`);
      return read.call(storage, buffer, offset);
    };
    await disk.read(new Uint8Array(1002), 0);
    expect(storage.log).toEqual(["write 1001", "read 1002"]);
    await disk.close();
  });

  it("ends what it has begun where the disk is given up, and tells what comes later that it is closed", async () => {
    const disk = await openFile(await made("given up"));
    const buffers = Array.from({ length: 50 }, () => new Uint8Array(clusterSize));
    const reads = buffers.map((buffer) => disk.read(buffer, 0));
    await disk.abandon();
    await Promise.all(reads);
    expect(buffers.every((buffer) => buffer.every((byte) => byte === 7))).toBe(true);
    await expect(disk.read(new Uint8Array(1), 0)).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("says why a transfer failed, and leaves its clusters to others", async () => {
    const storage = await FileStorage.open(await made("closed beneath"));
    const disk = await Disk.open(storage);
    await storage.close();
    for (let time = 0; time < 2; time++)
      await expect(disk.read(new Uint8Array(8), 0)).rejects.toMatchObject({ code: "CLOSED" });
    await disk.abandon();
  });
});

describe("MemoryStorage", () => {
  it("gives its content out after close, too", () => {
    const memory = new MemoryStorage(new Uint8Array([1, 2]));
    memory.write(new Uint8Array([3]), 2);
    memory.close();
    expect([...memory.toUint8Array()]).toEqual([1, 2, 3]);
  });

  it("copies what it is made from", () => {
    for (const content of [new Uint8Array([1, 2]), new Uint8Array([1, 2]).buffer]) {
      const memory = new MemoryStorage(content);
      new Uint8Array(content instanceof ArrayBuffer ? content : content.buffer).fill(9);
      expect([...memory.toUint8Array()]).toEqual([1, 2]);
    }
  });
});
