import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FileFolder, FileFolderSync } from "../../src/storage/file-folder.js";
import { isFileName, requireFileName } from "../../src/storage/folder.js";
import { temporaryFolder } from "../support/folder.js";
import { answeringAtOnce, casesOf, type Files, type FolderKit } from "./folder-contract.js";
import { neutralFolderKits } from "./folder-kits.js";

const path = temporaryFolder();

function fileKit(kit: Omit<FolderKit, "make">): FolderKit {
  const make = (files: Files) => {
    rmSync(path("folder"), { recursive: true, force: true });
    mkdirSync(path("folder/within"), { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path("folder"), name), content);
    return kit.reopen();
  };
  return { ...kit, make };
}

const READ_ONLY = { readOnly: true };

const kits: readonly FolderKit[] = [
  fileKit({ name: "FileFolder", faces: ["async"], reopen: () => FileFolder.open(path("folder")) }),
  fileKit({
    name: "FileFolderSync",
    sync: true,
    faces: ["async", "sync"],
    reopen: () => FileFolderSync.open(path("folder")),
  }),
  fileKit({
    name: "read-only FileFolder",
    readOnly: true,
    faces: ["async"],
    reopen: () => FileFolder.open(path("folder"), READ_ONLY),
  }),
  fileKit({
    name: "read-only FileFolderSync",
    sync: true,
    readOnly: true,
    faces: ["async", "sync"],
    reopen: () => FileFolderSync.open(path("folder"), READ_ONLY),
  }),
  ...neutralFolderKits,
];

describe.each(kits.map((kit) => (kit.sync ? answeringAtOnce(kit) : kit)))("$name", (kit) => {
  for (const { title, run } of casesOf(kit)) it(title, () => run(kit));
});

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
