/** Disks in OPFS through what happens to pages: a reload, a second tab, a quota. */
import type { Page, Worker } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { describeWith } from "../support/peers.js";
import { browserNeeds, launchBrowser, startWorker, type TestBrowser } from "./browser.js";
import { BAD_PATHS, fillDisk, goOn, openAll, reopenAndCompare, writeUntilFull } from "./opfs-cases.js";
import { type Site, startSite } from "./site.js";

let site: Site;
let browser: TestBrowser;
let page: Page;
let worker: Worker;

describeWith(browserNeeds, "In a browser", () => {
  beforeAll(async () => {
    const index = '<!doctype html><title>test</title><script type="module" src="/library.js"></script>';
    site = await startSite({ scripts: { library: "test/browser/library.ts" }, files: { "/page.html": index } });
    browser = await launchBrowser();
  });

  beforeEach(async () => {
    for (const old of browser.context.pages().slice(1)) await old.close();
    ({ page, worker } = await openTab());
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it("a disk in OPFS survives a reload, with all that was flushed", async () => {
    await worker.evaluate(async () => {
      const storage = await library.OpfsStorage.open("reload.hds", { create: "replace" });
      const disk = library.DiskSync.create(storage, { size: 2 ** 20, clusterSize: 4096 });
      disk.write(new Uint8Array(10_000).fill(7), 5000);
      disk.flush();
    });
    worker = await reload();
    const found = await worker.evaluate(async () => {
      const disk = library.DiskSync.open(await library.OpfsStorage.open("reload.hds"));
      const bytes = new Uint8Array(10_002);
      disk.read(bytes, 4999);
      const { unclean } = disk.info;
      disk.close();
      return { unclean, ends: [bytes[0], bytes.at(-1)], sevens: bytes.filter((byte) => byte === 7).length };
    });
    expect(found).toEqual({ unclean: true, ends: [0, 0], sevens: 10_000 });
  });

  it("a disk can be had again after a reload of a page whose worker was busy", async () => {
    await worker.evaluate(async () => {
      const storage = await library.OpfsStorage.open("busy.hds", { create: "replace" });
      library.DiskSync.create(storage, { size: 2 ** 20 }).flush();
      setTimeout(() => {
        for (;;) storage.size();
      });
    });
    worker = await reload();
    const path = await worker.evaluate(async () => {
      const storage = await library.OpfsStorage.open("busy.hds", { waitMilliseconds: 30_000 });
      library.DiskSync.open(storage).close();
      return storage.path;
    });
    expect(path).toBe("busy.hds");
  });

  it("a second tab is told at once that a disk is in use, and has it when the first has closed it", async () => {
    await worker.evaluate(async () => {
      const storage = await library.OpfsStorage.open("tabs/disk.hds", { create: "replace" });
      Object.assign(globalThis, { disk: library.DiskSync.create(storage, { size: 2 ** 20 }) });
    });
    const { worker: second } = await openTab();
    // "At once": it would wait for an hour if nobody answered.
    const open = () =>
      library.OpfsStorage.open("/tabs/disk.hds", { waitMilliseconds: 3_600_000 }).then(
        (storage) => storage.path,
        ({ name, code, message }) => ({ name, code, message }),
      );
    expect(await second.evaluate(open)).toEqual({
      name: "DiskError",
      code: "IN_USE",
      message: "tabs/disk.hds is in use: another tab or worker has it open; close it there, then try again",
    });
    await worker.evaluate(() => (globalThis as unknown as { disk: { close(): void } }).disk.close());
    expect(await second.evaluate(open)).toBe("tabs/disk.hds");
  });

  it("an owner that does not answer is waited for, not longer than is asked", async () => {
    const codes = await worker.evaluate(async () => {
      const { OpfsStorage } = library;
      (await OpfsStorage.open("owned", { create: "replace" })).close();
      const codes: string[] = [];
      let leave = () => {};
      await new Promise<void>((held) => {
        navigator.locks.request("parablock:opfs:owned", () => {
          held();
          return new Promise<void>((resolve) => {
            leave = resolve;
          });
        });
      });
      await OpfsStorage.open("owned", { waitMilliseconds: 1 }).catch(({ code }) => codes.push(code));
      const opening = OpfsStorage.open("owned", { waitMilliseconds: 3_600_000 });
      leave();
      (await opening).close();
      return codes;
    });
    expect(codes).toEqual(["IN_USE"]);
  });

  it("a file that other software has open is waited for, not longer than is asked", async () => {
    const codes = await worker.evaluate(async () => {
      const { OpfsStorage } = library;
      (await OpfsStorage.open("foreign", { create: "replace" })).close();
      const file = await (await navigator.storage.getDirectory()).getFileHandle("foreign");
      // biome-ignore lint/suspicious/noExplicitAny: known in workers only
      const handle = await (file as any).createSyncAccessHandle();
      const codes: string[] = [];
      await OpfsStorage.open(file, { waitMilliseconds: 1 }).catch(({ code }) => codes.push(code));
      const opening = OpfsStorage.open(file, { waitMilliseconds: 30_000 });
      await new Promise((resolve) => setTimeout(resolve, 5));
      handle.close();
      (await opening).close();
      return codes;
    });
    expect(codes).toEqual(["IN_USE"]);
  });

  it("a file may be open for reading several times, but not for writing as well", async () => {
    const open = async (readOnly: boolean) => {
      const storage = await library.OpfsStorage.open("shared", { readOnly, waitMilliseconds: 1 }).catch(
        ({ code }) => code,
      );
      return typeof storage === "string" ? storage : storage.size();
    };
    await worker.evaluate(async () => (await library.OpfsStorage.open("shared", { create: "replace" })).close());
    const { worker: second } = await openTab();
    expect([await worker.evaluate(open, true), await second.evaluate(open, true)]).toEqual([0, 0]);
    expect(await second.evaluate(open, false)).toBe("IN_USE");
  });

  it("opening says what is wrong, and keeps nothing open", async () => {
    const failures = await worker.evaluate(async () => {
      const { OpfsStorage } = library;
      const codes: string[] = [];
      const attempt = (...args: Parameters<typeof OpfsStorage.open>) =>
        OpfsStorage.open(...args).then(
          (storage) => storage.close(),
          (error) => void codes.push(error.code ?? error.name),
        );
      await attempt("folder/made", { create: "new" });
      await attempt("folder/made", { create: "new" });
      await attempt("missing");
      await attempt("missing/folder");
      await attempt("folder");
      await attempt("folder/made/further", { create: "new" });
      await attempt("");
      await attempt("folder/made");
      const held = await navigator.locks.query();
      return { codes, held: held.held?.length };
    });
    expect(failures.codes).toEqual(["EXISTS", "NOT_FOUND", "NOT_FOUND", "IS_DIRECTORY", "IS_DIRECTORY", "RangeError"]);
    expect(failures.held).toBe(0);
  });

  it("names that not every browser takes are refused, with what is allowed", async () => {
    const failures = await worker.evaluate(openAll, BAD_PATHS);
    expect(failures).toHaveLength(BAD_PATHS.length);
    for (const { name, message } of failures) {
      expect(name).toBe("RangeError");
      expect(message).toMatch(/^path: expected names of 1 to 255 bytes, .*, got "/);
    }
    expect(await worker.evaluate(openAll, ["...", "é".repeat(127), "a b/c:d", " "])).toEqual([]);
  });

  it("a page is told to open OPFS in a worker", async () => {
    const error = await page.evaluate(() =>
      library.OpfsStorage.open("page").catch(({ code, message }) => [code, message]),
    );
    expect(error).toEqual(["UNSUPPORTED", expect.stringContaining("dedicated workers")]);
  });

  it("a quota that is used up loses nothing, and a disk goes on where room is made", async () => {
    const session = await browser.context.newCDPSession(page);
    const setQuota = (quotaSize: number) =>
      session.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize });
    await setQuota(24 * 2 ** 20);
    for (const failure of Object.values(await worker.evaluate(writeUntilFull))) {
      expect(failure).toMatchObject({ code: "NO_SPACE", message: expect.stringContaining("quota") });
    }
    const full = await worker.evaluate(fillDisk);
    expect(full).toMatchObject({ code: "NO_SPACE", message: expect.stringContaining("quota") });
    expect(full.count).toBeGreaterThan(20);
    const room = await worker.evaluate(goOn, 3);
    await setQuota(2 ** 30);
    expect(await worker.evaluate(goOn, 300)).toBe(room);
    expect(await worker.evaluate(reopenAndCompare)).toEqual({ wrong: 0, corruptions: 0, leaks: 0 });
  });
});

async function openTab(): Promise<{ page: Page; worker: Worker }> {
  const page = await browser.open(`${site.origin}/page.html`);
  return { page, worker: await startWorker(page, "/library.js") };
}

async function reload(): Promise<Worker> {
  await page.reload();
  return startWorker(page, "/library.js");
}
