import { describe, expect, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import type { OpenOptions } from "../../src/options.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { FIELD, makeImage, setField } from "../support/image.js";
import { UntouchableStorage } from "../support/storages.js";
import { examine, openError, writeTo } from "./suspect.js";

const formats: Format[] = ["v1", "v2"];
const EXTREMES = [0, 1, 2, 3, 7, 8, 63, 64, 0xff, 0x100, 0xffff, 0x10000, 4_186_128, 4_186_129, 0x746f6e59, 0x312e3276];
const LIMITS = [0x1fffffff, 0x20000000, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

function image(format: Format): Uint8Array<ArrayBuffer> {
  return makeImage({ format, tracks: 8, hosts: [2, -1, 0, 1, -1, 3] });
}

function withField(format: Format, field: keyof typeof FIELD, value: number): Uint8Array {
  const file = image(format);
  setField(file, FIELD[field], value);
  return file;
}

describe.each(combinations)("Opening ($face face, $engine engine)", ({ face, engine }) => {
  it.each([true, false])(
    "a file cut short anywhere in its header is a named error (readOnly: %s)",
    async (readOnly) => {
      for (const format of formats) {
        for (let length = 0; length < 64; length++) {
          const storage = new UntouchableStorage(new MemoryStorage(image(format).subarray(0, length)));
          const error = await openError(() => openDisk(face, storage, { engine, readOnly }));
          expect(error).toMatchObject({ code: length < 16 ? "NOT_PARALLELS" : "TRUNCATED" });
          expect(storage.closed).toBe(1);
        }
      }
    },
  );

  it("a file cut short in its BAT is a named error", async () => {
    for (let length = 64; length < 64 + 4 * 6; length++) {
      const open = () => openDisk(face, new MemoryStorage(image("v2").subarray(0, length)), { engine, readOnly: true });
      expect(await openError(open)).toMatchObject({ code: "TRUNCATED", details: { expected: 88, got: length } });
    }
  });

  it("a field at any extreme opens or is a named error, and never shows wrong bytes", async () => {
    for (const format of formats) {
      for (const field of Object.keys(FIELD) as (keyof typeof FIELD)[]) {
        for (const value of [...EXTREMES, ...LIMITS]) {
          const file = withField(format, field, value);
          await examine(file, face, engine);
          await writeTo(file, face, engine);
        }
      }
    }
  });

  it.each<[keyof typeof FIELD, number, string, Record<string, unknown>]>([
    ["version", 1, "BAD_HEADER", { field: "version", got: 1 }],
    ["version", 3, "BAD_HEADER", { field: "version", got: 3 }],
    ["tracks", 0, "BAD_HEADER", { got: 0 }],
    ["tracks", 4_186_130, "BAD_HEADER", { got: 4_186_130 }],
    ["tracks", 0xffffffff, "BAD_HEADER", { got: 0xffffffff }],
    ["batEntries", 0x20000000, "BAD_HEADER", { got: 0x20000000 }],
    ["batEntries", 0xffffffff, "BAD_HEADER", { got: 0xffffffff }],
    ["batEntries", 0x1fffffff, "TRUNCATED", { expected: 64 + 4 * 0x1fffffff, got: 5 * 4096 }],
    ["sectorCountHigh", 0x1000, "TOO_LARGE", { field: "disk size" }],
    ["sectorCountHigh", 0x80000000, "TOO_LARGE", { field: "disk size" }],
    ["extensionHigh", 0xffffffff, "TOO_LARGE", { field: "extension offset" }],
  ])("%s %i is %s", async (field, value, code, details) => {
    const storage = new UntouchableStorage(new MemoryStorage(withField("v2", field, value)));
    const error = await openError(() => openDisk(face, storage, { engine, readOnly: true }));
    expect(error).toMatchObject({ code, details: expect.objectContaining(details) });
  });

  it("a disk size that is just exact still opens, and reads as zeros beyond the BAT", async () => {
    const file = withField("v2", "sectorCountHigh", 0xfff);
    const disk = await openDisk(face, new MemoryStorage(file), { engine, readOnly: true });
    expect(disk.size).toBe((0xfff * 2 ** 32 + 48) * 512);
    expect(await readRange(disk, disk.size - 10, 10)).toEqual(new Uint8Array(10));
    expect(await openError(() => openDisk(face, new MemoryStorage(file), { engine }))).toMatchObject({
      code: "CORRUPT",
      details: { findings: [{ kind: "batTooSmall", severity: "corruption" }] },
    });
  });

  it("an image under conversion is not opened for writing, and not at all if it is in use as well", async () => {
    for (const format of formats) {
      const file = withField(format, "flags", 2);
      const open = (options: OpenOptions) => openDisk(face, new MemoryStorage(file), { engine, ...options });
      expect(await openError(() => open({ readOnly: true }))).toBeUndefined();
      for (const repair of ["none", "leaks", "all"] as const)
        expect(await openError(() => open({ repair }))).toMatchObject({ code: "CONVERTING" });
      setField(file, FIELD.inUse, 0x746f6e59);
      for (const readOnly of [true, false])
        expect(await openError(() => open({ readOnly }))).toMatchObject({ code: "CONVERTING" });
    }
  });

  it("options that make no sense throw, and close the storage", async () => {
    const storage = new UntouchableStorage(new MemoryStorage(image("v1")));
    const open = () => openDisk(face, storage, { engine: "pascal" as "js" });
    expect(await openError(open)).toBeInstanceOf(RangeError);
    expect(storage.closed).toBe(1);
  });

  it("a storage that cannot be written is read only, and says so where writing is asked for", async () => {
    const make = () => Object.assign(new UntouchableStorage(new MemoryStorage(image("v2"))), { readOnly: true });
    const disk = await openDisk(face, make(), { engine });
    expect(disk.readOnly).toBe(true);
    await expect(async () => disk.write(new Uint8Array(1), 0)).rejects.toMatchObject({ code: "READ_ONLY" });
    await expect(async () => disk.discard(0, 1)).rejects.toMatchObject({ code: "READ_ONLY" });
    await expect(async () => disk.writeZeroes(0, 1)).rejects.toMatchObject({ code: "READ_ONLY" });
    await disk.close();
    const refused = make();
    expect(await openError(() => openDisk(face, refused, { engine, readOnly: false }))).toMatchObject({
      code: "READ_ONLY",
    });
    expect(refused.closed).toBe(1);
  });
});
