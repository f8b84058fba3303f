/** The playground for everybody: by keyboard alone, on a narrow screen, in the dark, and where WebAssembly is forbidden. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { browserNeeds } from "../browser/browser.js";
import { temporaryFolder } from "../support/folder.js";
import { allOfCi, describeWith, testWith } from "../support/peers.js";
import { writeBootImage } from "./images.js";
import { createDisk, opened, type Playground, screenshot, startPlayground } from "./playground.js";

const folder = temporaryFolder();
let playground: Playground;

/** Presses Tab until an element has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}

/** How far the page is wider than its window. */
const overhang = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

describeWith(browserNeeds, "The playground", () => {
  beforeAll(async () => {
    playground = await startPlayground();
  });

  afterAll(() => playground?.close());

  it("can be used by keyboard alone", async () => {
    const page = await playground.open();
    await tabTo(page, "#new-disk [name=name]");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("typed");
    await page.keyboard.press("Enter");
    await opened(page, "typed.hds");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("disk-name");
    await tabTo(page, "#map");
    expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe("solid");
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await page.waitForSelector('#map-readout[data-state=zero] #read-here:has-text("62 MiB")');
    expect(await page.getAttribute("#map", "aria-valuetext")).toBe("From 0, 64 MiB: nothing allocated");
    await tabTo(page, "#check");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#check-result[data-state=sound]");
    await screenshot(page, "keyboard");
    await tabTo(page, "#run-bench");
    await tabTo(page, '[aria-label="Remove typed.hds"]');
    await page.keyboard.press("Enter");
    await tabTo(page, "#confirm-yes");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#workspace[data-state=empty]");
    await page.close();
  });

  it("zooms the map by keyboard, and back", async () => {
    const page = await playground.open();
    await createDisk(page, "zoomed", { amount: "1", unit: `${2 ** 30}`, clusterSize: "4096" });
    await opened(page, "zoomed.hds");
    await page.focus("#map");
    await page.keyboard.press("Enter");
    await page.waitForSelector('#map[data-state=drawn] ~ #map-caption:has-text(" to ")');
    expect(await page.isEnabled("#zoom-out")).toBe(true);
    await page.keyboard.press("Escape");
    await page.waitForSelector("#zoom-out:disabled");
    await page.close();
  });

  it("fits a narrow screen", async () => {
    const page = await playground.open();
    await page.setViewportSize({ width: 390, height: 844 });
    await screenshot(page, "narrow-empty");
    expect(await overhang(page)).toBe(0);
    await page.setInputFiles(
      "#pick-file",
      writeBootImage(folder("a-disk-with-quite-a-long-name-for-a-narrow-screen.hds")),
    );
    await opened(page, "a-disk-with-quite-a-long-name-for-a-narrow-screen.hds");
    await page.hover("#map", { position: { x: 10, y: 10 } });
    await page.waitForSelector("#map-readout[data-state=data]");
    await screenshot(page, "narrow");
    expect(await overhang(page)).toBe(0);
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await overhang(page)).toBe(0);
    await page.close();
  });

  it("is dark where the system is, and follows it", async () => {
    const page = await playground.open();
    const brightness = () =>
      page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.documentElement).backgroundColor)![0]));
    await page.emulateMedia({ colorScheme: "light" });
    expect(await brightness()).toBeGreaterThan(200);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await brightness()).toBeLessThan(50);
    await page.setInputFiles("#pick-file", writeBootImage(folder("dark.hds")));
    await opened(page, "dark.hds");
    await screenshot(page, "dark");
    await page.close();
  });

  testWith([allOfCi], "measures WebAssembly against TypeScript, in bars and in numbers", async () => {
    const page = await playground.open();
    await page.click("#run-bench");
    await page.waitForSelector("#bench[data-state=done]", { timeout: 120_000 });
    expect(await page.locator("#bench-table tbody tr").count()).toBeGreaterThan(10);
    await page.click("#bench summary");
    expect(await page.textContent("#bench-table tbody tr:first-child td:last-child")).toMatch(/^[\d.]+×$/);
    await screenshot(page, "benchmark");
    await page.close();
  });

  it("works by TypeScript where the page's policy forbids WebAssembly, and says what it cannot do then", async () => {
    const strict = await startPlayground({ strict: true });
    try {
      const page = await strict.open();
      expect(await page.getAttribute("#engine", "data-engine")).toBe("js");
      await createDisk(page, "strict");
      await opened(page, "strict.hds");
      await page.waitForSelector('#facts:has-text("TypeScript")');
      await page.click("#check");
      await page.waitForSelector("#check-result[data-state=sound]");
      expect(await page.textContent("#machine-note")).toMatch(/forbids WebAssembly, and the emulator needs it/);
      expect(await page.isDisabled("#start")).toBe(true);
      await screenshot(page, "strict");
    } finally {
      await strict.close();
    }
  });
});
