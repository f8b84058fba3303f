import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { bytesOf, type DiskShape, makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
const MEBIBYTE = 2 ** 20;
const SHAPE: DiskShape = {
  size: 8 * MEBIBYTE,
  fills: [
    [100, 5000, 1],
    [5 * MEBIBYTE - 10, 20, 2],
  ],
};

describe("parablock compare", () => {
  makeDisk(file("a.hds"), { ...SHAPE, clusterSize: 65536 });
  makeDisk(file("b.hds"), { ...SHAPE, clusterSize: 32256, format: "v1" });
  writeFileSync(file("a.raw"), bytesOf(SHAPE));

  it.each([
    ["a.hds", "b.hds"],
    ["a.hds", "a.raw"],
    ["a.raw", "b.hds"],
    ["a.hds", "a.hds"],
  ])("ends with 0 for the same content in %s and %s", (a, b) => {
    expect(parablock(["compare", file(a), file(b)])).toMatchObject({
      status: 0,
      stdout: "The disks are the same.\n",
      stderr: "",
    });
  });

  it.each([0, 99, 5100, 3 * MEBIBYTE + 77, 5 * MEBIBYTE, 8 * MEBIBYTE - 1])(
    "ends with 1 and names the first difference at %d",
    (offset) => {
      const bytes = bytesOf(SHAPE);
      bytes[offset] ^= 0x80;
      bytes[8 * MEBIBYTE - 1] = 0x33;
      writeFileSync(file("c.raw"), bytes);
      expect(parablock(["compare", file("a.hds"), file("c.raw")])).toMatchObject({
        status: 1,
        stdout: `The disks differ, first at byte ${offset}.\n`,
      });
      expect(JSON.parse(parablock(["compare", "--json", file("c.raw"), file("a.hds")]).stdout)).toEqual({
        identical: false,
        firstDifference: offset,
        sizes: [8 * MEBIBYTE, 8 * MEBIBYTE],
      });
    },
  );

  it("takes a longer disk for the same if the rest is zero, and warns", () => {
    makeDisk(file("longer.hds"), { ...SHAPE, size: 9 * MEBIBYTE + 512 });
    const { status, stderr } = parablock(["compare", file("a.raw"), file("longer.hds")]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^parablock: warning: the sizes differ: [^\n]*\n$/);
  });

  it("finds a difference in the rest of a longer disk", () => {
    const size = 9 * MEBIBYTE;
    makeDisk(file("longest.hds"), { size, fills: [...SHAPE.fills!, [size - 3, 1, 1]] });
    for (const args of [
      [file("a.hds"), file("longest.hds")],
      [file("longest.hds"), file("a.raw")],
    ])
      expect(parablock(["compare", ...args])).toMatchObject({
        status: 1,
        stdout: `The disks differ, first at byte ${size - 3}.\n`,
      });
  });

  it("looks through to the base", () => {
    makeDisk(file("above.hds"), { size: SHAPE.size, fills: [SHAPE.fills![1]] });
    writeFileSync(file("below.raw"), bytesOf({ size: MEBIBYTE, fills: [SHAPE.fills![0]] }));
    expect(parablock(["compare", file("a.hds"), file("above.hds")]).status).toBe(1);
    expect(parablock(["compare", file("a.hds"), file("above.hds"), "--base-b", file("below.raw")]).status).toBe(0);
  });

  it("passes over what neither disk has", () => {
    parablock(["create", file("empty-1.hds"), "200G"]);
    parablock(["create", file("empty-2.hds"), "200G", "--cluster-size", "4M"]);
    expect(parablock(["compare", file("empty-1.hds"), file("empty-2.hds")]).status).toBe(0);
  });

  it("ends with 2 for trouble", () => {
    expect(parablock(["compare", file("a.hds"), file("absent")])).toMatchObject({ status: 2, stdout: "" });
    expect(parablock(["compare", file("a.hds")]).status).toBe(2);
  });
});
