/** The playground from one end to the other: what a person would do with a disk, and what QEMU says of the result. */
import { statSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { COUNTER_FILL, DEFAULT_COUNTER_SECTOR } from "../../examples/boot-sector.js";
import { bios, qemuImg } from "../adapters/needs.js";
import { browserNeeds } from "../browser/browser.js";
import { qemuCheck, qemuConvert } from "../peers/qemu.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith } from "../support/peers.js";
import { writeBootImage } from "./images.js";
import {
  boot,
  createDisk,
  download,
  drop,
  opened,
  type Playground,
  ready,
  screenshot,
  sectorOf,
  startPlayground,
} from "./playground.js";

const folder = temporaryFolder();
let playground: Playground;
let page: Page;

describeWith([...browserNeeds, bios, qemuImg], "The playground's journey:", () => {
  beforeAll(async () => {
    playground = await startPlayground();
    page = await playground.open();
  });

  afterAll(() => playground?.close());

  it("a disk is made, listed and described", async () => {
    await screenshot(page, "empty");
    await createDisk(page, "made here", { clusterSize: "65536", format: "v1" });
    await opened(page, "made here.hds");
    expect(await page.textContent("#disk-line")).toMatch(/64 MiB disk.*format v1.*kept in this browser/);
    await page.waitForSelector("#facts[data-state=shown]");
    expect(await page.textContent("#facts")).toContain("1,024");
    expect(await page.getAttribute('#shelf li[data-name="made here.hds"]', "aria-current")).toBe("true");
  });

  it("a file is dropped, looked at, and copied into the browser, as it is to be booted", async () => {
    await drop(page, writeBootImage(folder("guest.hds")));
    await opened(page, "guest.hds");
    expect(await page.textContent("#disk-line")).toContain("your file, only read");
    expect(await page.isDisabled("#start")).toBe(true);
    expect(await page.textContent("#machine-note")).toContain("copy it into this browser");
    await page.click("#keep");
    await page.waitForSelector('#shelf li[data-name="guest.hds"][aria-current=true]');
    expect(await page.textContent("#disk-line")).toContain("kept in this browser");
    await page.waitForSelector("#start:enabled");
  });

  it("the guest boots and writes, and all of it is kept", async () => {
    await boot(page, 1);
    await screenshot(page, "booted");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("screen");
    await page.keyboard.press("Control+Alt");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("stop");
    expect(await page.textContent("#traffic")).toMatch(/written 512 bytes in 1/);
    await page.waitForSelector('#map[data-extents="2"]'); // the map follows what the guest does
  });

  it("after a reload in the middle of it the guest finds what it wrote", async () => {
    await page.reload();
    await ready(page);
    await opened(page, "guest.hds");
    await page.waitForSelector("#start:enabled");
    await boot(page, 2);
    await page.click("#stop");
    await page.waitForSelector("#machine[data-state=off]");
  });

  it("the check finds no damage, but knows that the page was left without closing", async () => {
    await page.click("#check");
    await page.waitForSelector("#check-result[data-state=findings]");
    const kinds = await page
      .locator("#check-result .findings li")
      .evaluateAll((items) => items.map((item) => item.getAttribute("data-kind")));
    expect(kinds).toEqual(["unclean"]);
  });

  it("the download is sound for QEMU and has what the guest wrote", async () => {
    const path = await download(page, folder);
    qemuCheck(path);
    qemuConvert(path, folder("guest.raw"));
    const sector = sectorOf(folder("guest.raw"), DEFAULT_COUNTER_SECTOR);
    expect([...sector.subarray(0, 2)]).toEqual(["2".charCodeAt(0), COUNTER_FILL]);
    await opened(page, "guest.hds");
    await page.click("#check");
    await page.waitForSelector("#check-result[data-state=sound]");
  });

  it("where the browser lets the page choose a file, the download goes into that", async () => {
    await page.evaluate(() => {
      const choose = async () => (await navigator.storage.getDirectory()).getFileHandle("chosen", { create: true });
      Object.assign(globalThis, { showSaveFilePicker: choose });
    });
    await page.click("#download");
    await page.waitForSelector("#download[data-state=done]");
    const size = await page.evaluate(async () => {
      const file = await (await navigator.storage.getDirectory()).getFileHandle("chosen");
      return (await file.getFile()).size;
    });
    expect(size).toBe(statSync(folder("downloaded-guest.hds")).size);
    await opened(page, "guest.hds");
  });

  it("a disk that is removed is gone after one has said so", async () => {
    await page.click('[aria-label="Remove guest.hds"]');
    await page.keyboard.press("Escape");
    expect(await page.locator('#shelf li[data-name="guest.hds"]').count()).toBe(1);
    await page.click('[aria-label="Remove guest.hds"]');
    await page.click("#confirm-yes");
    await page.waitForSelector('#shelf li[data-name="guest.hds"]', { state: "detached" });
    await page.waitForSelector("#workspace[data-state=empty]");
  });
});
