/** Folders that a user gives to a page: what a flush hands over, what others changed, and what was dropped. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../support/peers.js";
import { browserNeeds, launchBrowser, type TestBrowser } from "./browser.js";
import { type Site, startSite } from "./site.js";

let site: Site;
let browser: TestBrowser;
let page: Page;

describeWith(browserNeeds, "A page's folders", () => {
  beforeAll(async () => {
    site = await startSite({ scripts: { library: "test/browser/library.ts" } });
    browser = await launchBrowser();
    page = await browser.open(site.origin);
    await page.addScriptTag({ url: "/library.js", type: "module" });
    await page.waitForFunction(() => "library" in globalThis);
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it("hand over all that was written since the last flush, or nothing: with the page goes what was not flushed", async () => {
    const seen = await page.evaluate(async () => {
      const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle("picked", { create: true });
      const content = async () => (await (await directory.getFileHandle("a")).getFile()).text();
      const file = await new library.HandleFolder(directory).create("a");
      const put = (text: string, offset: number) => file.write(new TextEncoder().encode(text), offset);
      await put("one", 0);
      const before = await content();
      await file.flush();
      await put("two", 0);
      await file.truncate(200_000);
      await put("end", 199_997);
      const between = await content();
      await file.flush();
      const after = await content();
      return [before, between, after.slice(0, 3), after.length, after.slice(-3)];
    });
    expect(seen).toEqual(["", "one", "two", 200_000, "end"]);
  });

  it("notice what others changed, and do not write over it", async () => {
    const outcome = await page.evaluate(async () => {
      const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle("picked", { create: true });
      const file = await new library.HandleFolder(directory).create("shared");
      await file.write(new Uint8Array(10), 0);
      const stream = await (await directory.getFileHandle("shared", { create: true })).createWritable();
      await stream.write("theirs");
      await stream.close();
      const failure = await Promise.resolve(file.flush()).then(
        () => undefined,
        ({ code, message }) => ({ code, message }),
      );
      const text = await (await (await directory.getFileHandle("shared")).getFile()).text();
      return { failure, text };
    });
    expect(outcome).toEqual({
      failure: { code: "CHANGED", message: expect.stringContaining("shared was changed by others") },
      text: "theirs",
    });
  });

  it("have all files of a dropped folder, however many, and none of folders within", async () => {
    const { path, names, text } = await page.evaluate(async () => {
      type Ask = (type: number, size: number, found: (system: { root: FileSystemDirectoryEntry }) => void) => void;
      const ask = (globalThis as unknown as { webkitRequestFileSystem: Ask }).webkitRequestFileSystem;
      const { root } = await new Promise<{ root: FileSystemDirectoryEntry }>((found) => ask(0, 2 ** 20, found));
      const within = (parent: FileSystemDirectoryEntry, name: string) =>
        new Promise<FileSystemDirectoryEntry>((found, lost) =>
          parent.getDirectory(name, { create: true }, (entry) => found(entry as FileSystemDirectoryEntry), lost),
        );
      const folder = await within(root, "my.hdd");
      await within(folder, "inner");
      for (let index = 0; index < 250; index++)
        await new Promise((found, lost) => folder.getFile(`file ${index}`, { create: true }, found, lost));
      const dropped = await library.PickedFolder.fromEntry(folder);
      const file = dropped.open("file 7");
      return { path: dropped.path, names: dropped.list().length, text: file.size() };
    });
    expect([path, names, text]).toEqual(["my.hdd", 250, 0]);
  });
});
