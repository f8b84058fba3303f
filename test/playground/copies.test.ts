/** Copies into the browser that are cut off: what is on the shelf is whole, and nothing else stays behind. */
import { statSync, truncateSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { safeName } from "../../web/shared/names.js";
import { browserNeeds } from "../browser/browser.js";
import { temporaryFolder } from "../support/folder.js";
import { allOfCi, describeWith, testWith } from "../support/peers.js";
import { writeBootImage } from "./images.js";
import { createDisk, notice, opened, type Playground, ready, startPlayground } from "./playground.js";

const folder = temporaryFolder();
let playground: Playground;
let page: Page;

/** An image that takes a while to copy: sparse here, not in the browser. */
function writeLongImage(path: string, megabytes: number): string {
  truncateSync(writeBootImage(path), megabytes * 2 ** 20);
  return path;
}

/** Opens a file of the person's and begins to copy it; resolves when some of it has been. */
async function beginCopy(page: Page, path: string): Promise<void> {
  await page.setInputFiles("#pick-file", path);
  await page.waitForSelector("#keep:visible");
  await page.click("#keep");
  await page.waitForFunction(() => (document.querySelector("#transfer") as HTMLProgressElement).value > 0.02);
}

/** The files in a folder of OPFS. */
const filesIn = (page: Page, name: string): Promise<string[]> =>
  page.evaluate(async (name) => {
    const root = await navigator.storage.getDirectory();
    const names: string[] = [];
    const folder = await root.getDirectoryHandle(name, { create: true });
    for await (const file of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(file);
    return names;
  }, name);

const left = (page: Page) => expect.poll(() => filesIn(page, "unfinished"), { timeout: 30_000 });

const onShelf = (page: Page, name: string) => page.locator(`#shelf li[data-name="${name}"]`).count();

describeWith(browserNeeds, "A copy into the browser", () => {
  beforeAll(async () => {
    playground = await startPlayground({ bios: false });
  });
  beforeEach(async () => {
    page = await playground.open();
  });
  afterEach(() => page?.close());
  afterAll(() => playground?.close());

  it("that a reload cuts off leaves no disk, and what it left is swept away", async () => {
    await beginCopy(page, writeLongImage(folder("reloaded.hds"), 700));
    expect(await filesIn(page, "disks")).not.toContain("reloaded.hds");
    await page.reload();
    await ready(page);
    expect(await onShelf(page, "reloaded.hds")).toBe(0);
    await left(page).toEqual([]);
    expect(await filesIn(page, "disks")).not.toContain("reloaded.hds");
  });

  testWith([allOfCi], "goes on while another tab is opened, and appears whole", async () => {
    const path = writeLongImage(folder("going on.hds"), 300);
    await beginCopy(page, path);
    const other = await playground.open();
    await opened(page, "going on.hds");
    await page.waitForSelector('#shelf li[data-name="going on.hds"][aria-current=true]');
    const size = await page.evaluate(async () => {
      const disks = await (await navigator.storage.getDirectory()).getDirectoryHandle("disks");
      return (await (await disks.getFileHandle("going on.hds")).getFile()).size;
    });
    expect(size).toBe(statSync(path).size);
    await left(other).toEqual([]);
    await other.close();
  });

  it("that there is no room for says so and leaves nothing", async () => {
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    const { usage = 0 } = await page.evaluate(() => navigator.storage.estimate());
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + 24 * 2 ** 20 });
    await page.setInputFiles("#pick-file", writeLongImage(folder("too much.hds"), 90));
    await page.waitForSelector("#keep:visible");
    await page.click("#keep");
    await page.waitForSelector("#notices .notice");
    expect(await notice(page)).toMatch(/^There is no room left for too much\.hds: .* remove a disk/);
    expect(await onShelf(page, "too much.hds")).toBe(0);
    await left(page).toEqual([]);
    await session.send("Storage.overrideQuotaForOrigin", { origin });
  });

  it("as a new disk that cannot be, leaves nothing", async () => {
    await createDisk(page, "cannot be", { amount: "4", unit: `${2 ** 40}`, format: "v1" });
    await page.waitForSelector("#new-problem:visible");
    await left(page).toEqual([]);
    expect(await filesIn(page, "disks")).not.toContain("cannot be.hds");
  });
});

it("Names on the shelf are what every browser takes", () => {
  expect(safeName("../a\\b\0c.hds")).toBe("-a-b-c.hds");
  expect(safeName("..")).toBe("disk");
  expect(safeName("disk \ud800.hds")).toBe("disk -.hds");
  expect(safeName(`${"é".repeat(300)}.hds`)).toBe(`${"é".repeat(98)}.hds`);
  expect(safeName("One.hdd.0.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds")).toMatch(/^One.*41\}\.hds$/);
});
