/**
 * Debian's Firefox, driven by puppeteer-core: the second browser that the tests hold us against. PARABLOCK_FIREFOX
 * names another Firefox.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import type { Need } from "../support/peers.js";
import type { Evaluated } from "./evaluate.js";

const executablePath = process.env.PARABLOCK_FIREFOX ?? "/usr/bin/firefox-esr";
const fromHere = createRequire(import.meta.url);
const required = process.env.CI === "true";

/** The needs of a test in Firefox, for describeWith. */
export const firefoxNeeds: readonly Need[] = [
  { name: `Firefox (${executablePath})`, present: existsSync(executablePath), required },
  { name: "puppeteer-core", present: isInstalled("puppeteer-core"), required },
];

/** What is used of puppeteer's pages; named here so that types are checked where it is not installed, too. */
export interface FirefoxPage {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  close(): Promise<void>;
  evaluate<Arguments extends unknown[], Result>(
    run: (...given: Arguments) => Result,
    ...given: Arguments
  ): Promise<Awaited<Result>>;
  waitForFunction(expression: string, options?: { timeout?: number }): Promise<unknown>;
  waitForSelector(selector: string, options?: { visible?: boolean; hidden?: boolean }): Promise<unknown>;
  click(selector: string): Promise<void>;
  $(selector: string): Promise<{ uploadFile(...paths: string[]): Promise<void> } | null>;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<unknown>;
}

interface Puppeteer {
  launch(options: Record<string, unknown>): Promise<{ newPage(): Promise<FirefoxPage>; close(): Promise<void> }>;
}

export interface FirefoxOptions {
  /** What a site may store, in bytes, whole KiB. */
  quota?: number;
  /** More preferences, as about:config has them. */
  preferences?: Record<string, unknown>;
}

export interface Firefox {
  /** Opens a tab. */
  open(url: string): Promise<FirefoxPage>;
  close(): Promise<void>;
}

/** Starts Firefox with a profile of its own. */
export async function launchFirefox({ quota, preferences = {} }: FirefoxOptions = {}): Promise<Firefox> {
  const puppeteer = fromHere("puppeteer-core") as Puppeteer;
  const limit = quota === undefined ? {} : { "dom.quotaManager.temporaryStorage.fixedLimit": quota / 1024 };
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath,
    extraPrefsFirefox: { ...limit, ...preferences },
  });
  return {
    async open(url) {
      const page = await browser.newPage();
      await page.goto(url);
      return page;
    },
    close: () => browser.close(),
  };
}

/** A worker of a page in which tests run functions, as playwright's workers do. */
export interface FirefoxWorker {
  evaluate<Argument, Result>(run: (argument: Argument) => Result, argument?: Argument): Promise<Awaited<Result>>;
}

/** Starts a dedicated worker on a script of the site, which serves test/browser/evaluate.ts as /evaluate.js. */
export async function startFirefoxWorker(page: FirefoxPage, script: string): Promise<FirefoxWorker> {
  await page.evaluate(() => {
    Object.assign(globalThis, { worker: new Worker("/evaluate.js", { type: "module" }) });
  });
  let lastId = 0;
  return {
    async evaluate(run, argument) {
      const request = { id: ++lastId, script, code: String(run), argument };
      const answer = await page.evaluate(ask, request);
      if ("failure" in answer) throw new Error(answer.failure);
      return answer.result as never;
    },
  };
}

/** Runs in the page. */
function ask(request: { id: number }): Promise<Evaluated> {
  const { worker } = globalThis as unknown as { worker: globalThis.Worker };
  return new Promise((resolve) => {
    const take = ({ data }: MessageEvent<Evaluated>) => {
      if (data.id !== request.id) return;
      worker.removeEventListener("message", take);
      resolve(data);
    };
    worker.addEventListener("message", take);
    worker.postMessage(request);
  });
}

function isInstalled(name: string): boolean {
  try {
    fromHere.resolve(name);
    return true;
  } catch {
    return false;
  }
}
