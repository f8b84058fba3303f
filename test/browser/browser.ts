/**
 * Debian's Chromium, driven by playwright-core: what the browser tests need, and how they get it. PARABLOCK_CHROMIUM
 * names another Chromium.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page, Worker } from "playwright-core";
import type { Need } from "../support/peers.js";
import { LOADED } from "./site.js";

const executablePath = process.env.PARABLOCK_CHROMIUM ?? "/usr/bin/chromium";
const required = process.env.CI === "true";

/** The needs of a browser test, for describeWith. */
export const browserNeeds: readonly Need[] = [
  { name: `Chromium (${executablePath})`, present: existsSync(executablePath), required },
  { name: "playwright-core", present: isInstalled("playwright-core"), required },
];

const FLAGS = [
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

export interface TestBrowser {
  context: BrowserContext;
  /** Opens a tab. */
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

/** Starts a browser with a profile of its own, on disk: a private window would keep OPFS in memory. */
export async function launchBrowser(options: { acceptDownloads?: boolean } = {}): Promise<TestBrowser> {
  const { chromium } = await import("playwright-core");
  const profile = mkdtempSync(join(tmpdir(), "parablock-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: process.getuid?.() === 0 ? [...FLAGS, "--no-sandbox"] : FLAGS,
    ...options,
  });
  return {
    context,
    async open(url) {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Starts a dedicated worker from a script of the site; answers it when the script has run. */
export async function startWorker(page: Page, script: string): Promise<Worker> {
  const [worker] = await Promise.all([
    page.waitForEvent("worker"),
    page.evaluate((url) => void Object.assign(globalThis, { worker: new Worker(url, { type: "module" }) }), script),
  ]);
  await worker.evaluate(async (loaded) => {
    while (!(loaded in globalThis)) await new Promise((resolve) => setTimeout(resolve, 5));
  }, LOADED);
  return worker;
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
