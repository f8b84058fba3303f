/** Folders of somebody's own: what is seen of them before they are used, and what of their answers is believed. */
import { describe, expect, it } from "vitest";
import { createFile, listFiles, openFile } from "../../src/medium/files.js";
import { runAsync, runSync } from "../../src/run.js";
import { requireFolder } from "../../src/storage/answers.js";
import type { Folder } from "../../src/storage/folder.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { PickedFolder } from "../../src/storage/picked-folder.js";

const verbs = { list: () => [], open() {}, create() {}, rename() {}, remove() {}, sync() {} };
const folderWith = (members: object) => ({ ...verbs, ...members }) as unknown as Folder;

describe("A folder of somebody's own", () => {
  it("has the verbs that it needs", () => {
    requireFolder(new MemoryFolder());
    requireFolder(folderWith({}));
    requireFolder(
      folderWith({ readOnly: true, create: undefined, rename: undefined, remove: undefined, sync: undefined }),
    );
    for (const [given, message] of [
      [undefined, /^folder: expected an object with list, open, create..., got undefined/],
      [Promise.resolve(new MemoryFolder()), /^folder: expected a folder, got a promise: await it/],
      [folderWith({ list: 1 }), /^folder.list: expected a function, got 1/],
      [folderWith({ sync: undefined }), /^folder.sync: expected a function/],
      [folderWith({ readOnly: "yes" }), /^folder.readOnly: expected true or false/],
      [folderWith({ path: 5 }), /^folder.path: expected a string/],
    ] as const)
      expect(() => requireFolder(given as Folder)).toThrow(
        expect.objectContaining({ name: "TypeError", message: expect.stringMatching(message) }),
      );
  });

  it("is not believed what cannot be", async () => {
    const bad = expect.objectContaining({ code: "BAD_STORAGE" });
    for (const answer of [undefined, "a", ["a", 1], { 0: "a", length: 1 }])
      expect(() => runSync(listFiles(folderWith({ list: () => answer })))).toThrow(bad);
    expect(runSync(listFiles(folderWith({ list: () => ["a", "../b", "", "c"] })))).toEqual(["a", "c"]);
    for (const answer of [undefined, 5, {}, { read() {}, size() {}, close() {} }]) {
      expect(() => runSync(openFile(folderWith({ open: () => answer }), "a", {}))).toThrow(bad);
      expect(() => runSync(createFile(folderWith({ create: () => answer }), "a"))).toThrow(bad);
    }
    expect(() => runSync(openFile(folderWith({ open: async () => answer }), "a", {}))).toThrow(TypeError);
    const answer = { read() {}, size() {}, close() {} };
    expect(await runAsync(openFile(folderWith({ open: async () => answer }), "a", { readOnly: true }))).toBe(answer);
  });

  it("says what was tried, with what was thrown, and where it does not lead", () => {
    const cause = new Error("gone");
    const open = () => {
      throw cause;
    };
    expect(() => runSync(openFile(folderWith({ open }), "a.hds", {}))).toThrow(
      expect.objectContaining({ code: "IO", message: "opening a.hds failed: gone", cause }),
    );
    expect(() => runSync(openFile(new MemoryFolder(), "/etc/passwd", {}))).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringMatching(/lies outside the folder/) }),
    );
  });
});

describe("PickedFolder", () => {
  const picked = (path: string) =>
    Object.defineProperty(new File([path], path.split("/").at(-1)!), "webkitRelativePath", { value: path });

  it("has what lies in the folder that was picked, not what lies in folders within", () => {
    const files = ["my.hdd/DiskDescriptor.xml", "my.hdd/a.hds", "my.hdd/within/a.hds", "my.hdd/within/b.hds"].map(
      picked,
    );
    const folder = new PickedFolder(files);
    expect([folder.path, folder.list()]).toEqual(["my.hdd", ["DiskDescriptor.xml", "a.hds"]]);
    expect(folder.open("a.hds").size()).toBe("my.hdd/a.hds".length);
  });

  it("takes Files of different names only", () => {
    expect(() => new PickedFolder([new File([], "a"), new File([], "a")])).toThrow(RangeError);
    expect(() => new PickedFolder([new Blob([]) as File])).toThrow(TypeError);
  });
});
