/** A disk in a worker, used from its page, and the ends that a worker can come to. */
import type { Page, Worker } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { describeWith } from "../support/peers.js";
import { browserNeeds, launchBrowser, startWorker, type TestBrowser } from "./browser.js";
import { type Site, startSite } from "./site.js";

type RemoteDisk = import("../../src/index.js").RemoteDisk;

declare global {
  /** In a page: the worker that startWorker started, and the disk that it serves. */
  var worker: globalThis.Worker;
  var disk: RemoteDisk;
}

let site: Site;
let browser: TestBrowser;
let page: Page;
let thread: Worker;

describeWith(browserNeeds, "A page with a disk in a worker", () => {
  beforeAll(async () => {
    site = await startSite({
      scripts: { library: "test/browser/library.ts", "disk-worker": "test/browser/disk-worker.ts" },
      files: {
        "/page.html": '<!doctype html><title>test</title><script type="module" src="/library.js"></script>',
        "/throws.js": 'throw new Error("it was not to be")',
      },
    });
    browser = await launchBrowser();
  });

  beforeEach(async () => {
    await page?.close();
    page = await browser.open(`${site.origin}/page.html`);
    thread = await startWorker(page, "/library.js");
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it("uses it as a disk of its own, and finds it again", async () => {
    const used = await page.evaluate(async () => {
      const open = () => library.connectDisk(new Worker("/disk-worker.js", { type: "module" }));
      const disk = await open();
      const bytes = Uint8Array.from({ length: 500_000 }, (_, index) => index % 251);
      await Promise.all([disk.write(bytes, 1000), disk.discard(8192, 4096), disk.flush()]);
      const got = new Uint8Array(500_000);
      await disk.read(got, 1000);
      const wrong = got.findIndex((byte, at) => byte !== (at >= 7192 && at < 11_288 ? 0 : at % 251));
      const { engine } = await disk.info;
      const runs = (await disk.status()).map(({ kind }) => kind);
      const { corruptions } = await disk.check();
      const range = await disk.read(got, disk.size).catch((error) => error instanceof RangeError);
      await disk.close();
      const closed = await disk.flush().catch(({ code }) => code);
      return { length: bytes.length, wrong, engine, runs, corruptions, range, closed, path: disk.path };
    });
    expect(used).toEqual({
      length: 500_000, // the caller's buffer was not transferred
      wrong: -1,
      engine: "wasm",
      runs: ["data", "zero", "data", "zero"],
      corruptions: 0,
      range: true,
      closed: "CLOSED",
      path: "disk-worker.hds",
    });
  });

  it("is told when the worker is terminated: what is under way and all later requests fail", async () => {
    await connect();
    const codes = await page.evaluate(async () => {
      const codeOf = (request: Promise<unknown>) =>
        request.then(
          () => "done",
          ({ name, code }) => `${name} ${code}`,
        );
      const underWay = codeOf(disk.read(new Uint8Array(1), 4096));
      await disk.write(new Uint8Array(4096), 0);
      worker.terminate();
      return [await underWay, await codeOf(disk.write(new Uint8Array(1), 0)), await codeOf(disk.close())];
    });
    expect(codes).toEqual(["DiskError DISCONNECTED", "DiskError DISCONNECTED", "DiskError DISCONNECTED"]);
  });

  it("is told when the worker ends itself, over a MessagePort, too", async () => {
    const port = await page.evaluateHandle(() => {
      const { port1, port2 } = new MessageChannel();
      worker.postMessage("port", [port1]);
      return port2;
    });
    const served = thread.evaluate(stuckDisk, "port" as const);
    await page.evaluate(
      async (port) => void Object.assign(globalThis, { disk: await library.connectDisk(port) }),
      port,
    );
    await served;
    const underWay = page.evaluate(() => disk.read(new Uint8Array(1), 4096).catch(({ code }) => code));
    await page.evaluate(() => disk.write(new Uint8Array(4096), 0));
    await thread.evaluate(() => void setTimeout(() => globalThis.close()));
    expect(await underWay).toBe("DISCONNECTED");
  });

  it("keeps its disk when the worker throws something that nobody catches", async () => {
    await connect();
    const size = await page.evaluate(async () => {
      const thrown = new Promise((resolve) => worker.addEventListener("error", resolve, { once: true }));
      worker.postMessage("throw");
      await thrown;
      await disk.write(new Uint8Array(4096), 0);
      return disk.size;
    });
    expect(size).toBe(2 ** 20);
  });

  it("is told when the worker cannot start", async () => {
    const messages = await page.evaluate(() =>
      Promise.all(
        ["/nowhere.js", "/throws.js"].map((url) =>
          library.connectDisk(new Worker(url, { type: "module" })).catch(({ code, message }) => [code, message]),
        ),
      ),
    );
    expect(messages).toEqual([
      ["DISCONNECTED", expect.stringContaining("could not be loaded")],
      ["DISCONNECTED", expect.stringContaining("it was not to be")],
    ]);
  });

  it("is told why the worker could not open the disk", async () => {
    const failing = page.evaluate(() => library.connectDisk(worker).catch(({ code, message }) => [code, message]));
    await thread.evaluate(() => {
      const { DiskSync, OpfsStorage } = library;
      library.serveDisk(globalThis as never, OpfsStorage.open("missing.hds").then(DiskSync.open));
    });
    expect(await failing).toEqual(["NOT_FOUND", "missing.hds does not exist in OPFS: check the path"]);
  });
});

/** Has the worker serve a disk on itself, and the page use it. */
async function connect(): Promise<void> {
  const connecting = page.evaluate(async () => {
    Object.assign(globalThis, { disk: await library.connectDisk(worker) });
  });
  await thread.evaluate(stuckDisk, "self" as const);
  await connecting;
}

/** In a worker: serves a disk that never answers where it is not allocated, over itself or the port that it is sent. */
async function stuckDisk(over: "self" | "port"): Promise<void> {
  addEventListener("message", ({ data }) => {
    if (data === "throw") throw new Error("thrown on request");
  });
  const { Disk, MemoryStorage, serveDisk } = library;
  // Making the disk asks for the beginning of the base.
  const read = (_: Uint8Array, offset: number) => new Promise<void>((resolve) => void (offset === 0 && resolve()));
  const base = { size: 2 ** 20, read };
  const disk = Disk.create(new MemoryStorage(), { size: 2 ** 20, clusterSize: 4096, base });
  if (over === "self") serveDisk(globalThis as never, disk);
  else serveDisk((globalThis as unknown as { port: MessagePort }).port, disk);
}
