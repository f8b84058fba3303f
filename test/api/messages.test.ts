/**
 * What a message of ours may be: one printable line of bounded length, whatever a caller, a file name, a storage or a
 * server puts into it. No message holds anybody's data.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { createDiskFile, SyncDisk } from "../../src/adapters/sync-disk.js";
import { V86Disk } from "../../src/adapters/v86.js";
import { Disk } from "../../src/disk.js";
import { DiskSync } from "../../src/disk-sync.js";
import { DiskError, storageError } from "../../src/errors.js";
import {
  cached,
  createZeroScanner,
  geometryOf,
  HttpStorage,
  probe,
  recognise,
  recogniseName,
  recogniseStorage,
} from "../../src/index.js";
import { createFile, Draft, FileStorage, openFile } from "../../src/node.js";
import { oneLine, printable, quote, shownMessage, shownName } from "../../src/printable.js";
import { BlobStorage } from "../../src/storage/blob.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { packError, unpackError } from "../../src/worker/wire-error.js";
import { runs } from "../support/runs.js";

const folder = mkdtempSync(join(tmpdir(), "parablock-messages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LONGEST = 1000;
const PRINTABLE_LINE = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]+$/u;

function expectLine(text: string): void {
  expect(text.length).toBeLessThanOrEqual(LONGEST);
  expect(text).toMatch(PRINTABLE_LINE);
}

const ESCAPES = "\u001b[2J\u001b]0;title\u0007\u009b31m\r\nline\u2028two\u202ereversed\ud800";
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const trap = () => {
  throw new Error("a trap");
};
class Loud {
  toString = trap;
  valueOf = trap;
  [Symbol.toPrimitive] = trap;
}
Object.defineProperty(Loud, "name", { value: ESCAPES.repeat(1000) });

const hostile: unknown[] = [
  undefined,
  null,
  true,
  -1,
  0.5,
  Number.NaN,
  2 ** 60,
  12n,
  10n ** 100_000n,
  Symbol("a symbol"),
  Symbol(ESCAPES.repeat(1000)),
  "",
  "text",
  ESCAPES,
  ESCAPES.repeat(100_000),
  "x".repeat(2 ** 24),
  [],
  ["data".repeat(1000)],
  new Array(1_000_000).fill(7),
  cyclic,
  {},
  Object.create(null),
  new Loud(),
  new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap }),
  new Uint8Array(1 << 20).fill(65),
  new Uint16Array(5),
  () => "data",
  class Named {},
  new Date(Number.NaN),
  new Error(ESCAPES),
  Promise.resolve(ESCAPES),
];

const bytes = new Uint8Array(64);
const options = (extra: object) => ({ size: 8192, clusterSize: 4096, ...extra }) as never;
const made = () => DiskSync.create(new MemoryStorage(), { size: 8192, clusterSize: 4096 });
const elsewhere = (value: unknown) => (typeof value === "string" ? join(folder, "none", value) : value);

const calls: Record<string, (value: never) => unknown> = {
  "Disk.open": (value) => Disk.open(value),
  "DiskSync.open": (value) => DiskSync.open(value),
  "Disk.open options": (value) => Disk.open(new MemoryStorage(), value),
  ...Object.fromEntries(
    ["readOnly", "engine", "repair", "prealloc", "base"].map((name) => [
      `open ${name}`,
      (value: never) => DiskSync.open(new MemoryStorage(), { [name]: value }),
    ]),
  ),
  ...Object.fromEntries(
    ["size", "clusterSize", "format", "engine", "prealloc", "base"].map((name) => [
      `create ${name}`,
      (value: never) => DiskSync.create(new MemoryStorage(), options({ [name]: value })),
    ]),
  ),
  "prealloc.mode": (value) => Disk.create(new MemoryStorage(), options({ prealloc: { mode: value } })),
  "prealloc.size": (value) => Disk.create(new MemoryStorage(), options({ prealloc: { mode: "off", size: value } })),
  "an unknown option": (value) =>
    Disk.create(new MemoryStorage(), options({ [typeof value === "string" ? value : "odd"]: value })),
  "a storage's verb": (value) => Disk.open({ read: value, size: value, close: value, write: value } as never),
  "a storage's path": (value) => Disk.open(Object.assign(Object.create(new MemoryStorage()), { path: value })),
  "a storage's answer": (value) =>
    DiskSync.open({ read: () => value, size: () => value, close() {}, readOnly: true, path: ESCAPES } as never),
  "what a storage throws": (value) =>
    DiskSync.open({
      read: () => 0,
      size: () => {
        throw value;
      },
      close() {},
      readOnly: true,
    } as never),
  read: (value) => made().read(value, 0),
  "read offset": (value) => made().read(bytes, value),
  write: (value) => made().write(value, 0),
  "write offset": (value) => made().write(bytes, value),
  "discard offset": (value) => made().discard(value, 1),
  "discard length": (value) => made().discard(0, value),
  "writeZeroes length": (value) => made().writeZeroes(0, value),
  "blockStatus offset": (value) => made().status(value),
  "blockStatus length": (value) => made().status(0, value),
  "blockStatus limit": (value) => made().status(0, 8192, value),
  repair: (value) => made().repair(value),
  "undoRepair backup": (value) => DiskSync.undoRepair(new MemoryStorage(bytes), value),
  "undoRepair storage": (value) => Disk.undoRepair(value, bytes),
  MemoryStorage: (value) => new MemoryStorage(value),
  BlobStorage: (value) => new BlobStorage(value),
  "a Blob's name": (value) => new BlobStorage(Object.assign(new Blob([]), { name: value }) as never).write(),
  cached: (value) => cached(value),
  ...Object.fromEntries(
    ["blockSize", "cacheSize", "readAhead"].map((name) => [
      `cached ${name}`,
      (value: never) => cached(new MemoryStorage(), { [name]: value }),
    ]),
  ),
  "HttpStorage.open": (value) => HttpStorage.open(value, { fetch: () => Promise.reject(value), retries: 0 }),
  "a fetch's answer": (value) => HttpStorage.open("http://localhost/x", { fetch: async () => value, retries: 0 }),
  "a server's headers": (value) =>
    HttpStorage.open("http://localhost/x", {
      fetch: async () =>
        ({
          status: 206,
          statusText: value,
          body: null,
          headers: { get: () => (typeof value === "string" ? value : null) },
        }) as never,
      retries: 0,
    }),
  ...Object.fromEntries(
    ["timeout", "retries", "retryDelay", "longestWait", "connections"].map((name) => [
      `http ${name}`,
      (value: never) =>
        HttpStorage.open("http://localhost/x", {
          [name]: value,
          fetch: () => Promise.reject(new Error(ESCAPES)),
          ...(name === "retries" ? {} : { retries: 0 }),
          ...(name === "retries" ? { retryDelay: 0, longestWait: 0 } : {}),
        }),
    ]),
  ),
  openFile: (value) => openFile(elsewhere(value) as never),
  createFile: (value) => createFile(elsewhere(value) as never, { size: 8192 }),
  "FileStorage.open": (value) => FileStorage.open(elsewhere(value) as never),
  "FileStorage options": (value) => FileStorage.open(join(folder, "none"), { create: value }),
  probe: (value) => probe(value),
  recognise: (value) => recognise(value),
  "recognise tail": (value) => recognise(bytes, value),
  recogniseName: (value) => recogniseName(value),
  recogniseStorage: (value) => recogniseStorage(value),
  "Draft.begin": (value) => Draft.begin(elsewhere(value) as never, false),
  geometryOf: (value) => geometryOf(value),
  createZeroScanner: (value) => createZeroScanner(value, 16),
  V86Disk: (value) => new V86Disk(value),
  "v86 delay": (value) => new V86Disk(made(), { flushDelayMilliseconds: value }),
  set_state: (value) => new V86Disk(made()).set_state(value),
  "set_state of its kind": (value) => new V86Disk(made()).set_state([value, value]),
  SyncDisk: (value) => new SyncDisk(value),
  createDiskFile: (value) => createDiskFile(value, "/x", made()),
  "a DiskError": (value) => {
    throw new DiskError("IO", typeof value === "string" && value !== "" ? value : "x", {}, value);
  },
  "an error from another thread": (value) => {
    throw unpackError(structuredClone(packError(storageError("reading", value))));
  },
};

/** Work that such a value would ask for, and that is not about messages. */
const HARMLESS = new Set(["http retries", "a fetch's answer"]);

describe("Whatever comes from outside, the message is a printable line of bounded length:", () => {
  test.each(Object.entries(calls))("%s", async (name, call) => {
    for (const value of hostile) {
      if (HARMLESS.has(name) && typeof value === "number" && value > 5) continue;
      try {
        await call(value as never);
      } catch (error) {
        expect(error, quote(value)).toBeInstanceOf(Error);
        expectLine((error as Error).message);
        expect((error as Error).message).not.toContain("datadata");
      }
    }
  });
});

describe("Text from outside", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 3000 }),
    fc.string({ unit: "binary-ascii", maxLength: 3000 }),
    fc.constant(ESCAPES.repeat(200)),
    fc
      .array(fc.constantFrom("\ud800", "\udc00", "\ud83d\ude00", "\n", "a", "\u202e"), { maxLength: 2000 })
      .map((parts) => parts.join("")),
  );

  test("is bounded and printable, and stays what it is where it is so already", () => {
    fc.assert(
      fc.property(text, (given) => {
        for (const shown of [oneLine(given), shownMessage(given), shownName(given), quote(given)]) {
          expect(shown.length).toBeLessThanOrEqual(LONGEST);
          if (shown !== "") expect(shown).toMatch(PRINTABLE_LINE);
        }
        if (given.length <= 300 && PRINTABLE_LINE.test(given))
          expect([oneLine(given), shownName(given)]).toEqual([given, given]);
      }),
      runs(2000),
    );
  });

  test("in JSON is escaped so that it reads the same", () => {
    fc.assert(
      fc.property(text, (given) => {
        const json = printable(JSON.stringify(given));
        expect(json).toMatch(PRINTABLE_LINE);
        expect(JSON.parse(json)).toBe(given);
      }),
      runs(1000),
    );
  });

  test("of any size costs little", () => {
    const huge = `${ESCAPES}\n`.repeat(2 ** 20);
    expect([oneLine(huge).length, shownMessage(huge).length, shownName(huge).length]).toEqual([1000, 1000, 300]);
    expect(quote(huge).length).toBeLessThan(200);
  });
});

test("A state that is another's is refused in a few words", () => {
  const drive = new V86Disk(made());
  const foreign = [1, new Uint8Array(2 ** 24).fill(65), "x".repeat(2 ** 24)];
  expect(() => drive.set_state(foreign)).toThrow(
    /^state: expected that of a disk like this one \(1, 8192\), got \(1, a Uint8Array\)$/,
  );
});

test("A disk that v86 cannot address is refused", () => {
  const sized = (size: number) => ({ size, read() {}, write() {}, flush() {}, close() {} });
  expect(new V86Disk(sized(2 ** 41 - 512)).byteLength).toBe(2 ** 41 - 512);
  for (const size of [2 ** 41, 2 ** 42, Number.NaN, -512, 0.5])
    expect(() => new V86Disk(sized(size))).toThrow(
      /^disk: expected fewer than 2199023255552 bytes \(2 TiB\), as v86 counts/,
    );
});
