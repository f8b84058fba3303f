/** Whole bundles in the playground: dropped and looked at, kept, booted, with snapshots of a disk that a guest writes to. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULT_COUNTER_SECTOR } from "../../examples/boot-sector.js";
import { bios } from "../adapters/needs.js";
import { browserNeeds } from "../browser/browser.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, fixtures, fixturesFolder, testWith, tool } from "../support/peers.js";
import { thorough } from "../support/runs.js";
import { writeBootBundle } from "./images.js";
import {
  boot,
  download,
  drop,
  notice,
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

const press = async (name: RegExp): Promise<void> => page.getByRole("button", { name }).first().click();

async function confirm(): Promise<void> {
  await page.click("#confirm-yes");
}

describeWith([...browserNeeds, bios], "A bundle in the playground", () => {
  beforeAll(async () => {
    playground = await startPlayground();
    page = await playground.open();
  });
  afterAll(() => playground?.close());

  it("is dropped, shown with its snapshots, and each of them can be looked at", async () => {
    const guid = writeBootBundle(folder("Machine.hdd"));
    await drop(page, folder("Machine.hdd"));
    await opened(page, "Machine.hdd");
    expect(await page.locator("#snapshot-list li").count()).toBe(2);
    expect(await page.isHidden("#take-snapshot")).toBe(true);
    expect(await page.textContent("#machine-note")).toContain("copy it into this browser");
    await screenshot(page, "bundle");
    await page.click(`#snapshot-list li[data-guid="${guid}"] button`);
    await page.waitForSelector("#disk-note:visible");
    expect(await page.getAttribute(`#snapshot-list li[data-guid="${guid}"]`, "aria-current")).toBe("true");
  });

  it("is kept in the browser, under its own name, and stays after a reload", async () => {
    await page.click("#keep");
    await page.waitForSelector('#shelf li[data-name="Machine.hdd"][aria-current]');
    await page.reload();
    await ready(page);
    await opened(page, "Machine.hdd");
    expect(await page.isVisible("#take-snapshot")).toBe(true);
  });

  it("boots; a snapshot is taken while the guest runs, and gone back to", { timeout: 120_000 }, async () => {
    await boot(page, 1);
    await page.click("#take-snapshot");
    await page.waitForSelector('#snapshot-list[data-count="2"]');
    expect(await page.textContent("#machine-state")).toBe("running");
    await screenshot(page, "bundle-running");
    await page.click("#stop");
    await boot(page, 2);
    await press(/^Go back to Snapshot/);
    await page.locator("#confirm-yes").waitFor();
    await page.keyboard.press("Escape"); // thought better of it
    expect(await page.textContent("#machine-state")).toBe("running");
    const last = page.locator("#snapshot-list li").nth(1);
    await last.getByRole("button", { name: /^Go back/ }).click();
    await confirm();
    await page.waitForSelector("#machine[data-state=off]");
    await page.waitForSelector("#snapshots[data-state=idle]");
    await boot(page, 2); // the first start's write is there, the second one's is not
    await page.click("#stop");
  });

  it("gives a snapshot up, and leaves as a raw disk", async () => {
    await press(/^Delete Snapshot/);
    await confirm();
    await page.waitForSelector('#snapshot-list[data-count="1"]');
    const saved = await download(page, folder);
    expect(saved).toMatch(/Machine\.raw$/);
    expect(sectorOf(saved, DEFAULT_COUNTER_SECTOR)[0]).toBe("2".charCodeAt(0));
    await page.click('#shelf li[data-name="Machine.hdd"] .plain');
    await confirm();
    await page.waitForSelector("#shelf[data-state=empty]");
  });

  testWith(
    [fixtures, tool("python3")],
    "reads as its maker knows it, or is refused by its cause",

    async () => {
      execFileSync("python3", [join(fixturesFolder, "bundles.py"), folder("made")]);
      const { good, bad } = JSON.parse(readFileSync(folder("made/expected.json"), "utf8"));
      for (const name of thorough ? Object.keys(good) : ["split-plain"]) {
        await drop(page, folder(`made/${name}.hdd`));
        await opened(page, `${name}.hdd`);
        await page.waitForSelector("#keep:visible");
        await page.click("#keep");
        await page.waitForSelector(`#shelf li[data-name="${name}.hdd"][aria-current]`);
        await page.waitForSelector("#take-snapshot:visible");
        const saved = await download(page, folder);
        const md5 = createHash("md5").update(readFileSync(saved)).digest("hex");
        expect([name, md5]).toEqual([name, good[name].states[good[name].top]]);
      }
      for (const name of thorough ? Object.keys(bad) : ["cycle"]) {
        await drop(page, folder(`made/${name}.hdd`));
        expect([name, await notice(page)]).toEqual([name, expect.stringMatching(CAUSES[name])]);
        await page.click("#notices button");
      }
    },
  );
});

const CAUSES: Record<string, RegExp> = {
  "missing-image": /hds/,
  cycle: /circle/,
  orphan: /parent/,
  padding: /Padding/,
  encrypted: /encrypted/,
  escape: /outside/,
  absolute: /absolute/,
  overlap: /overlap/,
  gap: /gap/,
  "no-top": /top/,
  bomb: /DOCTYPE/,
  "not-xml": /XML|descriptor/,
  "wrong-size": /cut short|has|byte/,
  "wrong-cluster": /cluster/,
};
