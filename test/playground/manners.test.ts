/** What the page says and where the focus goes: the disk by its name, numbers in words that fit, nothing left empty. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { bios } from "../adapters/needs.js";
import { browserNeeds } from "../browser/browser.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith } from "../support/peers.js";
import { writeBootImage } from "./images.js";
import { createDisk, notice, opened, type Playground, screenshot, startPlayground } from "./playground.js";

const folder = temporaryFolder();
let playground: Playground;
let page: Page;

/** What has the focus: an id, or else its accessible name. */
const focused = (page: Page): Promise<string | null | undefined> =>
  page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute("aria-label"));

/** Edits the address. */
const go = (page: Page, hash: string) =>
  page.evaluate((hash) => {
    location.hash = hash;
  }, hash);

const factOf = (page: Page, term: string) => page.textContent(`#facts div:has(dt:text-is("${term}")) dd`);

describeWith([...browserNeeds, bios], "The playground", () => {
  beforeAll(async () => {
    playground = await startPlayground();
  });
  beforeEach(async () => {
    page = await playground.open();
  });
  afterEach(() => page?.close());
  afterAll(() => playground?.close());

  it("in a second tab with the same address names the disk that is open in the first", async () => {
    await createDisk(page, "addressed");
    await opened(page, "addressed.hds");
    const second = await playground.open();
    await second.goto(page.url());
    await second.reload();
    await second.waitForSelector("#notices .notice");
    expect(await notice(second)).toMatch(/^addressed\.hds is open in another tab/);
    expect(await second.locator('#shelf li[data-name="addressed.hds"]').count()).toBe(1);
    await second.close();
  });

  it("opens the disk that the address is changed to, and says where there is none", async () => {
    for (const name of ["one", "two"]) {
      await createDisk(page, name);
      await opened(page, `${name}.hds`);
    }
    await go(page, "one.hds");
    await opened(page, "one.hds");
    await go(page, "nowhere.hds");
    await page.waitForSelector("#notices .notice");
    expect(await notice(page)).toMatch(/^nowhere\.hds is gone/);
    await go(page, "100%");
    await page.waitForSelector('#notices .notice:has-text("100%")');
    expect(await page.textContent("#disk-name")).toBe("one.hds");
  });

  it("gives the focus to a neighbour of what was removed, and to the page when a notice is dismissed", async () => {
    for (const name of ["a first", "b second"]) {
      await createDisk(page, name);
      await opened(page, `${name}.hds`);
    }
    await page.click('[aria-label="Remove a first.hds"]');
    await page.click("#confirm-yes");
    await page.waitForSelector('#shelf li[data-name="a first.hds"]', { state: "detached" });
    expect(await focused(page)).toMatch(/^Remove /);
    for (const name of await page
      .locator("#shelf li")
      .evaluateAll((items) => items.map((item) => (item as HTMLElement).dataset.name!))) {
      await page.click(`[aria-label="Remove ${name}"]`);
      await page.click("#confirm-yes");
      await page.waitForSelector(`#shelf li[data-name="${name}"]`, { state: "detached" });
    }
    expect(await focused(page)).toBe("shelf-title");
    await go(page, "gone");
    await page.click("#notices button");
    expect(await focused(page)).toBe("workspace");
  });

  it("counts one thing as one", async () => {
    await createDisk(page, "single", { amount: "1" });
    await opened(page, "single.hds");
    await page.click("#check");
    await page.waitForSelector("#check-result[data-state=sound]");
    expect(await page.textContent("#check-result")).toContain("0 of 1 cluster is allocated");
    expect(await page.textContent("#opened")).not.toMatch(/\b1 (clusters|bytes|extents|requests)\b/);
  });

  it("does not offer to boot a disk of 2 TiB, which the emulator cannot address", async () => {
    await createDisk(page, "large", { amount: "2", unit: `${2 ** 40}`, clusterSize: "4194304" });
    await opened(page, "large.hds");
    await page.waitForSelector("#machine-note:visible");
    expect(await page.textContent("#machine-note")).toMatch(
      /^This disk is of 2 TiB, .* less than 2 TiB: .* not booted\.$/,
    );
    expect(await page.isDisabled("#start")).toBe(true);
    await screenshot(page, "two-tebibytes");
  });

  it("tells of a machine's disk what is so: the chip has words from the first, the image is not closed while it runs", async () => {
    await page.setInputFiles("#pick-file", writeBootImage(folder("manners.hds")));
    await page.waitForSelector("#keep:visible");
    await page.click("#keep");
    await page.waitForSelector("#start:enabled");
    await page.waitForSelector('#facts:has-text("Closed cleanly")');
    expect(await factOf(page, "Closed cleanly")).toBe("yes");
    await page.evaluate(() => {
      const chip = document.getElementById("kept")!;
      const seen: string[] = [];
      const look = () => chip.hidden || seen.push(chip.textContent!);
      new MutationObserver(look).observe(chip, { attributes: true, childList: true, characterData: true });
      Object.assign(globalThis, { seen });
    });
    await page.click("#start");
    await page.waitForSelector("#kept[data-state=kept]");
    const seen = await page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
    expect(seen).not.toContain("");
    expect(seen[0]).toBe("nothing changed yet");
    await page.waitForSelector('#facts:has-text("not yet")');
    expect(await page.textContent("#traffic")).not.toMatch(/\b1 requests\b/);
    await page.click("#stop");
    await page.waitForSelector("#machine[data-state=off]");
    await expect.poll(() => focused(page)).toBe("start");
  });
});
