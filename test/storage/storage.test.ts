import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
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
