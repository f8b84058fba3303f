/** Options are checked before anything is touched: their values, their names, and what is to lie beneath. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDiskFile, SyncDisk } from "../../src/adapters/sync-disk.js";
import { V86Disk } from "../../src/adapters/v86.js";
import { cached, connectDisk, DiskSync, HttpStorage, MemoryStorage, OpfsStorage } from "../../src/index.js";
import { createFile, createFileSync, FileStorage, FileStorageSync, openFile, openFileSync } from "../../src/node.js";
import type { CreateOptions } from "../../src/options.js";
import { createDisk, faces, openDisk } from "../support/faces.js";
import { runs } from "../support/runs.js";
import { UntouchableStorage } from "../support/storages.js";

const image = () => {
  const storage = new MemoryStorage();
  DiskSync.create(storage, { size: 4096, clusterSize: 4096 }).flush();
  return storage;
};

/** What plain JavaScript may hand in: the options, and the start of the message that they are refused with. */
const wrongToOpen: [string, unknown, RegExp][] = [
  ["prealloc's mode", { prealloc: { mode: "full" } }, /^prealloc\.mode: expected one of/],
  ["prealloc's size", { prealloc: { mode: "off", size: -1 } }, /^prealloc\.size: expected a number of bytes, got -1/],
  ["a name in prealloc", { prealloc: { mode: "off", bytes: 1 } }, /no option "bytes"/],
  ["prealloc", { prealloc: "falloc" }, /^prealloc: expected \{ mode, size \}, got "falloc"/],
  ["prealloc, null", { prealloc: null }, /^prealloc: expected \{ mode, size \}, got null/],
  ["repair", { repair: "yes" }, /^repair: expected "none", "leaks" or "all", got "yes"/],
  ["engine", { engine: "asm" }, /^engine: expected "wasm" or "js", got "asm"/],
  [
    "a base that is a path",
    { base: "vm.raw" },
    /^base: expected an open disk, or a storage with raw bytes, got "vm.raw"/,
  ],
  ["a base that is a buffer", { base: new Uint8Array(512) }, /^base: expected an open disk/],
  ["a base, null", { base: null }, /^base: expected an open disk/],
  ["an unknown name", { sise: 1 }, /^options: there is no option "sise"/],
];
const wrongToCreate: typeof wrongToOpen = [
  ...wrongToOpen,
  ["size", { size: 100 }, /^size: expected a multiple of 512/],
  ["clusterSize", { clusterSize: 100 }, /^clusterSize: expected a multiple of 512/],
  ["format", { format: "v3" }, /^format: expected "v1" or "v2"/],
  ["readOnly", { readOnly: true }, /no option "readOnly"/],
];

/** Bases that fail when they are asked. */
const failing: [string, unknown, RegExp][] = [
  ["has no size to tell", { size: () => fail("size"), read: () => 0 }, /no size/],
  ["cannot be read", { size: () => 4096, read: () => fail("read") }, /no read/],
  ["is a disk that cannot be read", { size: 4096, read: () => fail("read") }, /no read/],
];

function fail(what: string): never {
  throw new Error(`no ${what}`);
}

describe.each(faces)("A disk that is to be made in a storage (%s face)", (face) => {
  it.each(wrongToCreate)("leaves what is there where %s is wrong, and closes it", async (_, options, message) => {
    const storage = new UntouchableStorage(image());
    const making = createDisk(face, storage, { size: 4096, ...(options as object) });
    await expect(making).rejects.toThrow(message);
    await expect(making).rejects.not.toHaveProperty("code");
    expect(storage.closed).toBe(1);
  });

  it.each(failing)("leaves what is there where its base %s", async (_, base, message) => {
    const storage = new UntouchableStorage(image());
    await expect(createDisk(face, storage, { size: 4096, base } as CreateOptions)).rejects.toThrow(message);
    expect(storage.closed).toBe(1);
  });

  it("is not made over its own base, nor where nothing can be written", async () => {
    const own = new UntouchableStorage(image());
    await expect(createDisk(face, own, { size: 4096, base: own })).rejects.toThrow(/^base: expected another storage/);
    const readOnly = Object.assign(new UntouchableStorage(image()), { readOnly: true });
    await expect(createDisk(face, readOnly, { size: 4096 })).rejects.toMatchObject({ code: "READ_ONLY" });
  });
});

describe.each(faces)("A disk that is to be opened (%s face)", (face) => {
  it.each(wrongToOpen)("is not where %s is wrong, and its storage is closed", async (_, options, message) => {
    const storage = new UntouchableStorage(image());
    await expect(openDisk(face, storage, options as object)).rejects.toThrow(message);
    expect(storage.closed).toBe(1);
  });

  it.each([1, "yes", null])("is not where readOnly is %j", async (readOnly) => {
    const opening = openDisk(face, new UntouchableStorage(image()), { readOnly } as object);
    await expect(opening).rejects.toThrow(/^readOnly: expected true or false, got/);
  });
});

/** Every public function that takes options: how it is called with some, and their names. */
const FILE_NAMES = ["readOnly", "create", "private", "share"];
const OPEN_NAMES = ["readOnly", "engine", "repair", "prealloc", "base"];
const CREATE_NAMES = ["engine", "repair", "prealloc", "base", "size", "clusterSize", "format"];
const CACHE_NAMES = ["blockSize", "cacheSize", "readAhead"];
const HTTP_NAMES = ["fetch", "headers", "signal", "timeout", "retries", "retryDelay", "longestWait", "connections"];
const nowhere = "/nowhere/at/all.hds";
const functions: Record<string, { names: string[]; call(options: object): unknown }> = {
  "Disk.open": { names: OPEN_NAMES, call: (options) => openDisk("async", image(), options) },
  "DiskSync.open": { names: OPEN_NAMES, call: (options) => openDisk("sync", image(), options) },
  "Disk.create": { names: CREATE_NAMES, call: (options) => createDisk("async", image(), { size: 512, ...options }) },
  "DiskSync.create": { names: CREATE_NAMES, call: (options) => createDisk("sync", image(), { size: 512, ...options }) },
  openFile: { names: [...OPEN_NAMES, "share"], call: (options) => openFile(nowhere, options) },
  openFileSync: { names: [...OPEN_NAMES, "share"], call: (options) => openFileSync(nowhere, options) },
  createFile: {
    names: [...CREATE_NAMES, "replace"],
    call: (options) => createFile(nowhere, { size: 512, ...options }),
  },
  createFileSync: {
    names: [...CREATE_NAMES, "replace"],
    call: (options) => createFileSync(nowhere, { size: 512, ...options }),
  },
  "FileStorage.open": { names: FILE_NAMES, call: (options) => FileStorage.open(nowhere, options) },
  "FileStorageSync.open": { names: FILE_NAMES, call: (options) => FileStorageSync.open(nowhere, options) },
  "HttpStorage.open": {
    names: [...CACHE_NAMES, ...HTTP_NAMES],
    call: (options) => HttpStorage.open("http://localhost", options),
  },
  "OpfsStorage.open": {
    names: ["readOnly", "create", "waitMilliseconds"],
    call: (options) => OpfsStorage.open("a", options),
  },
  cached: { names: CACHE_NAMES, call: (options) => cached(image(), options) },
  connectDisk: { names: ["signal"], call: (options) => connectDisk(new MessageChannel().port1, options) },
  V86Disk: {
    names: ["onerror", "flushDelayMilliseconds"],
    call: (options) => new V86Disk(DiskSync.open(image()), options),
  },
  SyncDisk: { names: ["name", "onerror"], call: (options) => new SyncDisk(DiskSync.open(image()), options) },
  createDiskFile: {
    names: ["onerror"],
    call: (options) => createDiskFile({} as never, "a", DiskSync.open(image()), options),
  },
};

/** Slips of the pen. */
const slips: Record<string, (name: string, at: number) => string> = {
  "another case": (name) => (name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase()),
  "a letter left out": (name, at) => name.slice(0, at) + name.slice(at + 1),
  "a letter twice": (name, at) => name.slice(0, at) + name[at] + name.slice(at),
  "two letters changed over": (name, at) => name.slice(0, at) + (name[at + 1] ?? "") + name[at] + name.slice(at + 2),
};

describe("A mistyped option", () => {
  it("is refused by every function that takes options, and the name that was meant is named", async () => {
    const calls = Object.entries(functions).flatMap(([title, { names, call }]) =>
      names.map((name) => ({ title, name, names, call })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...calls),
        fc.constantFrom(...Object.values(slips)),
        fc.nat(),
        async ({ name, names, call }, slip, place) => {
          const typed = slip(name, place % name.length);
          fc.pre(!names.includes(typed) && name.length >= 4);
          const error = await Promise.resolve()
            .then(() => call({ [typed]: true }))
            .then(
              () => undefined,
              (reason) => reason,
            );
          expect(error).toBeInstanceOf(TypeError);
          expect(error.message).toContain(`there is no option ${JSON.stringify(typed)}`);
          expect(error.message).toContain(`did you mean ${name}?`);
        },
      ),
      runs(300),
    );
  });

  it("that is like no other is told what there is", () => {
    expect(() => FileStorageSync.open(nowhere, { mode: "r" } as object)).toThrow(
      'options: there is no option "mode": expected one of readOnly, create, private, share',
    );
  });

  it("is none where its value is undefined, as spread defaults have it", () => {
    expect(DiskSync.open(image(), { verify: undefined } as object).size).toBe(4096);
  });

  it.each([[null], ["a"], [7]])("and options that are %j are refused", async (options) => {
    for (const { call } of Object.values(functions)) {
      if (call.toString().includes("...options")) continue; // the test's own way of calling makes an object of it
      await expect(Promise.resolve().then(() => call(options as never))).rejects.toThrow(TypeError);
    }
  });

  it("does not make the message as long as itself", () => {
    const name = "x".repeat(2 ** 20);
    expect(() => FileStorageSync.open(nowhere, { [name]: 1 } as object)).toThrow(
      /^options: there is no option "x{20,60}\.\.\.x{10,40}": /,
    );
  });
});
