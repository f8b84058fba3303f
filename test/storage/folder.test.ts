import { describe, expect, it } from "vitest";
import { isFileName, requireFileName } from "../../src/storage/folder.js";

describe("A file's name", () => {
  it("is what every platform takes and tells from every other", () => {
    for (const name of [
      "a",
      "DiskDescriptor.xml",
      "a.hdd.0.{5fbaabe3}.hds",
      "...",
      ".a",
      " ",
      "ä",
      "😀",
      "x".repeat(255),
    ]) {
      expect(isFileName(name)).toBe(true);
      expect(() => requireFileName(name)).not.toThrow();
    }
    const tooLong = ["x".repeat(256), "ä".repeat(128)];
    for (const name of ["", ".", "..", "a/b", "/a", "a\\b", "..\\a", "a\0", "\ud800", "a\udc00b", ...tooLong]) {
      expect(isFileName(name), JSON.stringify(name)).toBe(false);
      expect(() => requireFileName(name)).toThrow(RangeError);
    }
    for (const name of [undefined, null, 1, ["a"], { toString: () => "a" }]) {
      expect(isFileName(name)).toBe(false);
      expect(() => requireFileName(name)).toThrow(TypeError);
    }
  });
});
