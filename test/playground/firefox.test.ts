/** The playground in Firefox: the journey of a disk, and what a person sees where the browser keeps no files for pages. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "vitest";
import { buildSite } from "../../web/tool/build.js";
import { type Server, serveSite } from "../../web/tool/server.js";
import { bios } from "../adapters/needs.js";
import { type Firefox, type FirefoxPage, firefoxNeeds, launchFirefox } from "../browser/firefox.js";
import { temporaryFolder } from "../support/folder.js";
import { allOfCi, describeWith, testWith } from "../support/peers.js";
import { writeBootImage } from "./images.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const SCREENSHOTS = join(root, "artifacts/screenshots");
const folder = temporaryFolder();
let site: string;
let server: Server;

/** Opens the page in a Firefox of its own. */
async function open(preferences: Record<string, unknown> = {}): Promise<{ firefox: Firefox; page: FirefoxPage }> {
  const firefox = await launchFirefox({ preferences });
  const page = await firefox.open(server.url);
  await page.waitForSelector("body[data-state=ready]");
  return { firefox, page };
}

const textOf = (page: FirefoxPage, selector: string): Promise<string> =>
  page.evaluate((selector: string) => document.querySelector(selector)?.textContent ?? "", selector);

const says = (page: FirefoxPage, selector: string, text: string) =>
  page.waitForFunction(
    `document.querySelector(${JSON.stringify(selector)})?.textContent.includes(${JSON.stringify(text)})`,
  );

async function pick(page: FirefoxPage, path: string): Promise<void> {
  await (await page.$("#pick-file"))!.uploadFile(path);
}

async function screenshot(page: FirefoxPage, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `playground-firefox-${name}.png`), fullPage: true });
}

describeWith([...firefoxNeeds, bios], "The playground in Firefox", () => {
  beforeAll(async () => {
    site = mkdtempSync(join(tmpdir(), "parablock-playground-"));
    await buildSite(root, site);
    server = await serveSite(site);
  });

  afterAll(async () => {
    await server?.close();
    if (site) rmSync(site, { recursive: true, force: true });
  });

  testWith(
    [allOfCi],
    "keeps a copy of a disk, boots it, finds after a reload what the guest wrote, lists and removes it",
    async () => {
      const { firefox, page } = await open();
      try {
        await pick(page, writeBootImage(folder("fox.hds")));
        await page.waitForSelector("#keep", { visible: true });
        await page.click("#keep");
        await page.waitForSelector('#shelf li[data-name="fox.hds"][aria-current=true]');
        for (const start of [1, 2]) {
          await page.waitForSelector("#start:enabled", { visible: true });
          await page.click("#start");
          await says(page, "#serial", `before: ${start - 1}`);
          await says(page, "#serial", `written: ${start}`);
          await page.waitForSelector("#kept[data-state=kept]");
          if (start === 1) {
            await screenshot(page, "booted");
            await page.reload();
            await page.waitForSelector("body[data-state=ready]");
          }
        }
        await page.click("#stop");
        await page.waitForSelector("#machine[data-state=off]");
        await page.click('[aria-label="Remove fox.hds"]');
        await page.waitForSelector("#confirm-yes", { visible: true });
        await page.click("#confirm-yes");
        await says(page, "#shelf", "Nothing is kept here yet.");
      } finally {
        await firefox.close();
      }
    },
  );

  testWith(
    [allOfCi],
    "without OPFS says so on the shelf and in the form, and tells a file's own error about the file",
    async () => {
      const { firefox, page } = await open({ "dom.fs.enabled": false });
      try {
        expect(await textOf(page, "#shelf")).toMatch(/no OPFS here: .*switched off/);
        writeFileSync(folder("letter.hds"), "Dear reader, ".repeat(100));
        await pick(page, folder("letter.hds"));
        await page.waitForSelector("#notices .notice");
        expect(await textOf(page, "#notices .notice span")).toMatch(/^letter\.hds is not a Parallels image/);
        await pick(page, writeBootImage(folder("read.hds")));
        await says(page, "#disk-name", "read.hds");
        await page.click("#new-disk button");
        await says(page, "#new-problem", "no OPFS here");
        await screenshot(page, "without-opfs");
      } finally {
        await firefox.close();
      }
    },
  );
});
