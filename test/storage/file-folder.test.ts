/** What Node's folders see besides the contract: links, lock files, folders that are none. */
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { realTarget } from "../../src/storage/directory.js";
import { FileStorageSync } from "../../src/storage/file.js";
import { FileFolder, FileFolderSync } from "../../src/storage/file-folder.js";
import { temporaryFolder } from "../support/folder.js";

const path = temporaryFolder();
const error = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

function folderWithLinks(name: string): FileFolderSync {
  const folder = FileFolderSync.open(path(name), { create: "new" });
  mkdirSync(path(`${name}/within`));
  writeFileSync(path(`${name}/file`), "inside");
  writeFileSync(path(`${name}/within/file`), "deeper");
  writeFileSync(path(`${name}.outside`), "outside");
  mkdirSync(path(`${name}-sibling`));
  writeFileSync(path(`${name}-sibling/file`), "beside");
  const links = {
    "to-file": "file",
    deeper: "within/file",
    "by-a-detour": `../${name}/file`,
    out: `../${name}.outside`,
    absolute: path(`${name}.outside`),
    sibling: `../${name}-sibling/file`,
    nowhere: "missing",
    "nowhere-out": "../missing",
    circle: "circle",
  };
  for (const [link, target] of Object.entries(links)) symlinkSync(target, path(`${name}/${link}`));
  symlinkSync("..", path(`${name}/within/up`));
  symlinkSync(`within/up/../${name}.outside`, path(`${name}/devious`));
  return folder;
}

describe("Where a path leads", () => {
  it("is where the system goes: up from where a link has led", () => {
    folderWithLinks("led");
    for (const name of ["devious", "by-a-detour", "absolute", "to-file"])
      expect(realTarget(path(`led/${name}`)), name).toBe(realpathSync.native(path(`led/${name}`)));
    expect(realTarget(`${path("led")}/within/up/../led.outside`)).toBe(realpathSync.native(path("led.outside")));
    expect(realTarget(path("led/nowhere-out"))).toBe(path("missing"));
  });
});

describe("FileFolder", () => {
  it("follows symbolic links inside the folder, and none that leads out", () => {
    const folder = folderWithLinks("links");
    const contentOf = (name: string) => {
      const file = folder.open(name, { readOnly: true });
      const bytes = new Uint8Array(file.size());
      file.read(bytes, 0);
      file.close();
      return new TextDecoder().decode(bytes);
    };
    expect(["to-file", "deeper", "by-a-detour"].map(contentOf)).toEqual(["inside", "deeper", "inside"]);
    for (const name of ["out", "absolute", "sibling", "nowhere-out", "devious"])
      expect(() => folder.open(name), name).toThrow(
        error("PERMISSION", /symbolic link that leads out of the folder, to .*: put/),
      );
    expect(() => folder.open("nowhere")).toThrow(error("NOT_FOUND", /missing/));
    expect(() => folder.open("circle")).toThrow(error("IO", /symbolic links/));
    expect(() => folder.create("nowhere-out")).toThrow(error("EXISTS", /nowhere-out/));
    expect(existsSync(path("missing"))).toBe(false);
  });

  it("is the same when it is itself named by a symbolic link", () => {
    folderWithLinks("real");
    symlinkSync("real", path("named"));
    const folder = FileFolderSync.open(path("named"));
    folder.open("to-file").close();
    expect(() => folder.open("out")).toThrow(error("PERMISSION", /leads out/));
  });

  it("renames and removes links, not what they lead to", () => {
    const folder = folderWithLinks("renamed");
    folder.rename("out", "to-file");
    expect(lstatSync(path("renamed/to-file")).isSymbolicLink()).toBe(true);
    expect(readFileSync(path("renamed/file"), "utf8")).toBe("inside");
    folder.rename("file", "to-file");
    expect(readFileSync(path("renamed.outside"), "utf8")).toBe("outside");
    folder.remove("absolute");
    expect(readFileSync(path("renamed.outside"), "utf8")).toBe("outside");
    expect(folder.list()).not.toContain("absolute");
  });

  it("lists no lock files and nothing that is no file", () => {
    const folder = folderWithLinks("listed");
    writeFileSync(path("listed/file.lock-host-12-0-write"), "");
    writeFileSync(path("listed/not\\ours"), "");
    expect(folder.list().sort()).toEqual(
      ["absolute", "by-a-detour", "deeper", "devious", "file", "out", "sibling", "to-file"].sort(),
    );
  });

  it("leaves a file its name while somebody has it open by another way", () => {
    const folder = folderWithLinks("elsewhere");
    const other = FileStorageSync.open(path("elsewhere/file"), { readOnly: true });
    expect(() => folder.remove("file")).toThrow(error("IN_USE", /file is in use/));
    expect(() => folder.rename("file", "other")).toThrow(error("IN_USE", /file is in use/));
    other.close();
    folder.remove("file");
  });

  it("opens files outside by absolute paths, where it is asked to by that name", async () => {
    const folder = folderWithLinks("trusting");
    folder.openOutside(path("trusting.outside"), { readOnly: true }).close();
    for (const open of [() => folder.openOutside("../trusting.outside"), () => folder.open(path("trusting.outside"))])
      expect(open).toThrow(RangeError);
    const readOnly = await FileFolder.open(path("trusting"), { readOnly: true });
    const file = await readOnly.openOutside(path("trusting.outside"));
    expect(file.readOnly).toBe(true);
    await file.close();
  });

  it("says what is wrong with a folder before anything else", async () => {
    writeFileSync(path("a file"), "");
    mkdirSync(path("there"));
    for (const open of [
      FileFolder.open,
      async (...given: Parameters<typeof FileFolder.open>) => FileFolderSync.open(...given),
    ]) {
      await expect(open(path("missing"))).rejects.toThrow(error("NOT_FOUND", /missing does not exist/));
      await expect(open(path("a file"))).rejects.toThrow(error("UNSUPPORTED", /a file is no folder/));
      await expect(open(path("there"), { create: "new" })).rejects.toThrow(error("EXISTS", /there exists/));
      await expect(open(path("no/parent"), { create: "new" })).rejects.toThrow(error("NOT_FOUND", /parent/));
      await expect(open("")).rejects.toThrow(TypeError);
      await expect(open(path("there"), { create: "replace" } as never)).rejects.toThrow(RangeError);
      await expect(open(path("there"), { readonly: true } as never)).rejects.toThrow(/did you mean readOnly/);
      await expect(open(path("new"), { create: "new", readOnly: true })).rejects.toThrow(TypeError);
    }
    expect(existsSync(path("new"))).toBe(false);
  });
});
