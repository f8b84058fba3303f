/**
 * `npm run example:overlay -- [IMAGE] [--serve]`: serves a base image, raw or Parallels, and boots a browser tab from
 * it: what the guest reads comes by HTTP, what it writes goes into a Parallels image in OPFS. Then the tab is loaded
 * anew and boots again, with the changes that it has. Prints what the guest says, and what went over the network.
 * Without an image it makes a small one that boots GRUB.
 *
 *     --serve          only serves it, for a browser of your own
 *     --port N         where (default: 8087 with --serve, else one that is free)
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { BrowserContext, Page } from "playwright-core";
import { GRUB_OUTPUT, makeGrubDisk } from "./grub-disk.js";
import type { Heard } from "./overlay-page.js";
import { type Site, startSite } from "./overlay-site.js";

const OWN_IMAGE = "demo-out/overlay-base.img";
const CHROMIUM = process.env.PARABLOCK_CHROMIUM ?? "/usr/bin/chromium";
type Ended = Extract<Heard, { ended: string }>;

/** The first boot makes changes, the second one finds them. */
const BOOTS = ["first", "second"];
const TIMEOUT = 300_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { serve: { type: "boolean", default: false }, port: { type: "string" } },
});
const [image = OWN_IMAGE] = positionals;

try {
  if (image === OWN_IMAGE) makeOwnImage();
  const port = Number(values.port ?? (values.serve ? 8087 : 0));
  const site = await startSite({ image, until: image === OWN_IMAGE ? GRUB_OUTPUT.done : "", port });
  if (values.serve) console.log(`Open ${site.url} in a browser; Ctrl-C ends this.`);
  else await bootInBrowser(site);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

/** Made once: changes that a browser has are changes to this one. */
function makeOwnImage(): void {
  if (existsSync(OWN_IMAGE)) return;
  mkdirSync(dirname(OWN_IMAGE), { recursive: true });
  writeFileSync(OWN_IMAGE, makeGrubDisk());
}

async function bootInBrowser(site: Site): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), "parablock-overlay-"));
  const context = await launch(profile);
  try {
    await bootTwice(context, site.url);
  } finally {
    await context.close();
    site.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function bootTwice(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage();
  let hear = (_message: Heard) => {};
  await page.exposeFunction("heard", (message: Heard) => hear(message));
  for (const which of BOOTS) {
    console.log(`\n== The ${which} boot, from ${url}base`);
    const ended = ending((listener) => {
      hear = listener;
    });
    await load(page, url);
    report(await ended);
  }
}

async function load(page: Page, url: string): Promise<void> {
  if (page.url() === url) await page.reload();
  else await page.goto(url);
}

/** Prints what the guest says; resolves when it has come to its end. */
function ending(listen: (listener: (message: Heard) => void) => void): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`The guest came to no end in ${TIMEOUT / 1000} s`)), TIMEOUT);
    listen((message) => {
      if ("text" in message) {
        process.stdout.write(message.text);
        return;
      }
      clearTimeout(limit);
      if ("failed" in message) reject(new Error(message.failed));
      else if ("ended" in message) resolve(message);
    });
  });
}

function report({ ended, statistics }: Ended): void {
  const { requests, bytes, changedBytes } = statistics;
  const share = ((100 * bytes) / statSync(image).size).toFixed(1);
  console.log(`\n== The guest ${ended}.`);
  console.log(`   ${requests} requests, ${bytes} bytes received (${share} % of the image)`);
  console.log(`   ${changedBytes} bytes changed, kept in the browser's OPFS as a Parallels image`);
}

async function launch(profile: string): Promise<BrowserContext> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `No browser at ${CHROMIUM}: install Chromium (Debian: apt install chromium), set PARABLOCK_CHROMIUM to one, or use --serve and a browser of your own`,
    );
  }
  const { chromium } = await import("playwright-core");
  const args = ["--disable-gpu", "--disable-background-networking", "--no-first-run"];
  if (process.getuid?.() === 0) args.push("--no-sandbox");
  return chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args });
}
