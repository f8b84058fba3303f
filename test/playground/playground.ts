/** The playground in a real browser: built, served, opened, and used as a person would. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { buildSite } from "../../web/tool/build.js";
import { type ServeOptions, serveSite } from "../../web/tool/server.js";
import { launchBrowser } from "../browser/browser.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const SCREENSHOTS = join(root, "artifacts/screenshots");

export interface Playground {
  /** Opens a tab and waits until the page is ready. */
  open(): Promise<Page>;
  close(): Promise<void>;
}

export async function startPlayground(options: ServeOptions = {}): Promise<Playground> {
  const folder = mkdtempSync(join(tmpdir(), "parablock-playground-"));
  await buildSite(root, folder);
  const server = await serveSite(folder, options);
  const browser = await launchBrowser({ acceptDownloads: true });
  return {
    async open() {
      const page = await browser.context.newPage();
      page.setDefaultTimeout(60_000);
      // Headless Chromium has no dialog for it; the way without it is the one of other browsers.
      await page.addInitScript(() => Object.assign(globalThis, { showSaveFilePicker: undefined }));
      await page.goto(server.url);
      await ready(page);
      return page;
    },
    async close() {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function ready(page: Page): Promise<void> {
  await page.waitForSelector("body[data-state=ready]");
}

/** Waits until a disk of this name is open and its map drawn. */
export async function opened(page: Page, name: string): Promise<void> {
  await page.waitForSelector(`#disk-name:text-is(${JSON.stringify(name)})`);
  await page.waitForSelector("#map[data-state=drawn]");
}

/** Drops files or folders on the page as the system's file manager would. */
export async function drop(page: Page, ...paths: string[]): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await devtools.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
  }
  await devtools.detach();
}

/** Makes a disk by the form. */
export async function createDisk(page: Page, name: string, fields: Record<string, string> = {}): Promise<void> {
  await page.fill("#new-disk [name=name]", name);
  for (const [field, value] of Object.entries(fields)) {
    if (field === "amount") await page.fill("#new-disk [name=amount]", value);
    else await page.selectOption(`#new-disk [name=${field}]`, value);
  }
  await page.click("#new-disk button[type=submit]");
}

/** Starts the machine and waits until its guest has written, for the `start`th time, and all of that is kept. */
export async function boot(page: Page, start: number): Promise<void> {
  await page.click("#start");
  await page.waitForSelector(`#serial:has-text("before: ${start - 1}")`);
  await page.waitForSelector(`#serial:has-text("written: ${start}")`);
  await page.waitForSelector("#kept[data-state=kept]");
}

/** Saves the open disk's image in a folder; answers its path. */
export async function download(page: Page, folder: (name: string) => string): Promise<string> {
  const [saved] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  const path = folder(`downloaded-${basename(saved.suggestedFilename())}`);
  await saved.saveAs(path);
  await page.waitForSelector("#download[data-state=done]");
  return path;
}

/** The sentence of the notice that is shown. */
export async function notice(page: Page): Promise<string> {
  return (await page.textContent("#notices .notice span"))!;
}

/** Keeps a picture of the page among the artifacts. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `playground-${name}.png`), fullPage: true });
}

/** One sector of a raw image. */
export const sectorOf = (path: string, sector: number): Uint8Array =>
  readFileSync(path).subarray(sector * 512, (sector + 1) * 512);
