/** What a person may give the playground: files and folders, dropped and picked, those that are wrong among them. */
import { mkdirSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { browserNeeds } from "../browser/browser.js";
import { temporaryFolder } from "../support/folder.js";
import { allOfCi, describeWith, testWith } from "../support/peers.js";
import { writeBootImage, writeBundle, writeDamagedImage, writeShuffledImage } from "./images.js";
import { createDisk, drop, notice, opened, type Playground, screenshot, startPlayground } from "./playground.js";

const folder = temporaryFolder();
let playground: Playground;
let page: Page;

describeWith(browserNeeds, "The playground, given", () => {
  beforeAll(async () => {
    playground = await startPlayground({ bios: false });
  });

  beforeEach(async () => {
    page = await playground.open();
  });

  afterEach(() => page?.close());
  afterAll(() => playground?.close());

  it("a .hds file that is dropped, opens it for reading", async () => {
    await drop(page, writeBootImage(folder("dropped.hds")));
    await opened(page, "dropped.hds");
    expect(await page.isVisible("#keep")).toBe(true);
    expect(await page.isHidden("#download")).toBe(true);
  });

  it("a .hdd folder that is dropped, opens the image in it", async () => {
    await drop(page, writeBundle(folder("One.hdd"), "One.hdd.0.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds"));
    await opened(page, "One.hdd.0.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds");
  });

  it("a virtual machine's folder that is dropped, finds the image in the folder in it", async () => {
    writeBundle(folder("Machine.pvm/Disk.hdd"), "Disk.hds");
    await drop(page, folder("Machine.pvm"));
    await opened(page, "Disk.hds");
  });

  it("a .hdd folder that is picked, opens the image in it", async () => {
    await page.setInputFiles("#pick-folder", writeBundle(folder("Picked.hdd"), "picked.hds"));
    await opened(page, "picked.hds");
  });

  it("a folder with several images and no descriptor, says what is missing and what to do", async () => {
    await drop(page, writeBundle(folder("Many.hdd"), "many.0.hds", "many.1.hds"));
    expect(await notice(page)).toMatch(/^Many\.hdd holds 2 images, but no DiskDescriptor\.xml .* alone\.$/);
    await screenshot(page, "several-images");
    await page.click("#notices button");
    expect(await page.locator("#notices .notice").count()).toBe(0);
  });

  it("a folder without an image, says what to choose", async () => {
    await drop(page, writeBundle(folder("None.hdd")));
    expect(await notice(page)).toMatch(/^None\.hdd holds no \.hds file: choose /);
  });

  it("a file that is no image, says so, and leaves open what was", async () => {
    await page.setInputFiles("#pick-file", writeBootImage(folder("good.hds")));
    await opened(page, "good.hds");
    writeFileSync(folder("letter.hds"), "Dear reader, ".repeat(100));
    await drop(page, folder("letter.hds"));
    expect(await notice(page)).toMatch(/^letter\.hds is not a Parallels image: choose a \.hds file/);
    expect(await page.textContent("#disk-name")).toBe("good.hds");
    expect(await page.getAttribute("#workspace", "data-state")).toBe("open");
  });

  it("a damaged image, opens it for reading and lists what is wrong", async () => {
    await page.setInputFiles("#pick-file", writeDamagedImage(folder("damaged.hds")));
    await opened(page, "damaged.hds");
    await page.click("#keep");
    await page.waitForSelector("#disk-note:visible");
    expect(await page.textContent("#disk-note")).toMatch(/damaged.*reading only/);
    await page.click("#check");
    await page.waitForSelector("#check-result[data-state=corrupt]");
    expect(await page.textContent('#check-result [data-kind="duplicate"]')).toContain(
      "a cluster that another entry uses",
    );
    expect(await page.textContent("#machine-note")).toContain("damaged");
    expect(await page.isDisabled("#start")).toBe(true);
    await screenshot(page, "damaged");
  });

  it("two files of the same name to keep, keeps both", async () => {
    for (const name of ["twice.hds", "twice 2.hds"]) {
      await page.setInputFiles("#pick-file", writeBootImage(folder(`${name}/twice.hds`)));
      await page.waitForSelector("#keep:visible");
      await page.click("#keep");
      await opened(page, name);
    }
  });

  testWith([allOfCi], "4 Mi clusters in disorder, draws them and tells the extent under the pointer", async () => {
    await page.setInputFiles("#pick-file", writeShuffledImage(folder("shuffled.hds")));
    await opened(page, "shuffled.hds");
    const gap = page.evaluate(medianFrame);
    for (let x = 20; x < 700; x += 40) await page.hover("#map", { position: { x, y: 100 } });
    await page.waitForSelector("#map-readout[data-state=data]");
    // Frames go on meanwhile; how fast is told, not judged: machines differ.
    console.log(`median frame over 4 Mi clusters: ${(await gap).toFixed(1)} ms`);
    await screenshot(page, "four-million-clusters");
    await page.click("#zoom-in");
    await page.waitForSelector("#map[data-state=drawn]");
    expect(await page.isEnabled("#zoom-all")).toBe(true);
  });

  it("no BIOS by the server, asks for one, takes what is dropped and keeps it", async () => {
    await createDisk(page, "without a BIOS");
    await opened(page, "without a BIOS.hds");
    await page.waitForSelector("#bios[data-state=missing]");
    await screenshot(page, "no-bios");
    expect(await page.isDisabled("#start")).toBe(true);
    mkdirSync(folder("bios"));
    for (const name of ["bios.bin", "vgabios-stdvga.bin"]) writeFileSync(folder(`bios/${name}`), new Uint8Array(65536));
    await drop(page, folder("bios/bios.bin"), folder("bios/vgabios-stdvga.bin"));
    await page.waitForSelector("#bios[data-state=found]", { state: "hidden" });
    await page.waitForSelector("#start:enabled");
    await page.reload();
    await page.waitForSelector("#start:enabled");
  });

  it("a disk that another tab has open, says so; once it is closed there, opens it", async () => {
    await createDisk(page, "shared");
    await opened(page, "shared.hds");
    const other = await playground.open();
    await other.click('#shelf li[data-name="shared.hds"] .open');
    expect(await notice(other)).toBe("shared.hds is open in another tab: close it there, then open it again here.");
    await page.click("#close");
    await page.waitForSelector("#workspace[data-state=empty]");
    await other.click('#shelf li[data-name="shared.hds"] .open');
    await opened(other, "shared.hds");
    await other.close();
  });

  it("a name that is taken, and a size beyond the format, says so at the form", async () => {
    for (const time of ["first", "second"]) {
      await createDisk(page, "taken");
      if (time === "first") await opened(page, "taken.hds");
    }
    await page.waitForSelector("#new-problem:visible");
    expect(await page.textContent("#new-problem")).toMatch(/^There is a disk named taken\.hds already/);
    await createDisk(page, "huge", { amount: "4", unit: `${2 ** 40}`, format: "v1" });
    await page.waitForSelector('#new-problem:has-text("v1 image reaches")');
    expect(await page.locator('#shelf li[data-name="huge.hds"]').count()).toBe(0);
  });
});

/** The median time from one frame to the next, over half a second, in milliseconds. Runs in the page. */
function medianFrame(): Promise<number> {
  return new Promise((resolve) => {
    const times: number[] = [];
    const frame = (time: number) => {
      times.push(time);
      if (time - times[0] < 500) requestAnimationFrame(frame);
      else {
        const gaps = times.slice(1).map((at, index) => at - times[index]);
        resolve(gaps.sort((a, b) => a - b)[gaps.length >> 1]);
      }
    };
    requestAnimationFrame(frame);
  });
}
