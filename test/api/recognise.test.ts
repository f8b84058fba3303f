import { describe, expect, it } from "vitest";
import { DiskSync, MemoryStorage, RECOGNISED, recognise, recogniseName, recogniseStorage } from "../../src/index.js";
import { FOREIGN_BYTES } from "../format/foreign-bytes.js";

function image(format: "v1" | "v2"): MemoryStorage {
  const storage = new MemoryStorage();
  DiskSync.create(storage, { size: 65536, format }).close();
  return new MemoryStorage(storage.toUint8Array()); // the disk closed the other one
}

describe("What a file is", () => {
  it.each(["v1", "v2"] as const)("is seen by its content: an image of format %s", async (format) => {
    expect(await recogniseStorage(image(format))).toEqual({ kind: "parallels", format });
    expect(recognise(image(format).toUint8Array().subarray(0, RECOGNISED.head))).toEqual({ kind: "parallels", format });
  });

  it.each(FOREIGN_BYTES)("is seen by its content: $name", async ({ name, at, bytes }) => {
    const content = Buffer.alloc(8192);
    content.write(bytes, at < 0 ? content.length + at : at, "latin1");
    const found = await recogniseStorage(new MemoryStorage(content));
    expect(found).toMatchObject({ kind: "foreign", name: expect.stringContaining(name) });
    expect(recognise(content.subarray(0, RECOGNISED.head), content.subarray(-RECOGNISED.tail))).toEqual(found);
  });

  it("is a raw disk otherwise, also where it is short or empty", async () => {
    for (const length of [0, 1, 63, 600, 5000])
      expect(await recogniseStorage(new MemoryStorage(new Uint8Array(length)))).toEqual({ kind: "raw" });
  });

  it.each([
    ["a.hds", "parallels"],
    ["A.HDD", "parallels"],
    ["a.raw", "raw"],
    ["a.img", "raw"],
    ["a.qcow2", "foreign"],
    ["a.txt", undefined],
    ["hds", undefined],
  ])("is promised by the name %s: %s", (name, kind) => {
    expect(recogniseName(name)?.kind).toBe(kind);
  });
});
