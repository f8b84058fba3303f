/** Disks in OPFS in Firefox, which says some things in its own way: a quota that is used up, and what it refuses. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { casesOf } from "../storage/folder-contract.js";
import { describeWith } from "../support/peers.js";
import { sampled } from "../support/runs.js";
import {
  type Firefox,
  type FirefoxPage,
  type FirefoxWorker,
  firefoxNeeds,
  launchFirefox,
  startFirefoxWorker,
} from "./firefox.js";
import { folderKits } from "./kits.js";
import { BAD_PATHS, fillDisk, goOn, openAll, reopenAndCompare, writeUntilFull } from "./opfs-cases.js";
import { type Site, startSite } from "./site.js";

const QUOTA = 24 * 2 ** 20;

let site: Site;
let firefox: Firefox;
let page: FirefoxPage;
let worker: FirefoxWorker;

describeWith(firefoxNeeds, "In Firefox", () => {
  beforeAll(async () => {
    const scripts = {
      library: "test/browser/library.ts",
      kits: "test/browser/kits.ts",
      evaluate: "test/browser/evaluate.ts",
    };
    site = await startSite({ scripts });
    firefox = await launchFirefox({ quota: QUOTA });
    page = await firefox.open(site.origin);
    worker = await startFirefoxWorker(page, "/library.js");
  });

  afterAll(async () => {
    await firefox?.close();
    await site?.close();
  });

  // Before the quota is used up.
  it.each(sampled(["HandleFolder", "OpfsFolder", "read-only OpfsFolder"], 3))(
    "%s keeps the contract of folders",
    async (name) => {
      const suiteWorker = await startFirefoxWorker(page, "/kits.js");
      const cases = casesOf(folderKits.find((kit) => kit.name === name)!);
      const failures: string[] = [];
      for (const [index, { title }] of cases.entries()) {
        const running = suiteWorker.evaluate(([name, index]) => suite.runFolderCase(name, index), [
          name,
          index,
        ] as const);
        await running.catch((error) => failures.push(`${title}: ${error.message}`));
      }
      expect(failures).toEqual([]);
    },
  );

  it("every way that a used-up quota shows is NO_SPACE, with words", async () => {
    const { truncated, written } = await worker.evaluate(writeUntilFull);
    for (const failure of [truncated, written]) {
      expect(failure).toMatchObject({
        code: "NO_SPACE",
        message: expect.stringMatching(/quota .* used up.*persist\(\)$/),
      });
    }
  });

  it("a disk under a used-up quota goes on where room is made, and loses nothing", async () => {
    const full = await worker.evaluate(fillDisk);
    expect(full).toMatchObject({ code: "NO_SPACE", message: expect.stringContaining("quota") });
    expect(full.count).toBeGreaterThan(20);
    expect(await worker.evaluate(goOn, 3)).toBe("went on");
    expect(await worker.evaluate(reopenAndCompare)).toEqual({ wrong: 0, corruptions: 0, leaks: 0 });
  });

  it("names that not every browser takes are refused, with what is allowed", async () => {
    const failures = await worker.evaluate(openAll, BAD_PATHS);
    expect(failures).toHaveLength(BAD_PATHS.length);
    for (const { name, message } of failures) {
      expect(name).toBe("RangeError");
      expect(message).toMatch(/^path: expected names of 1 to 255 bytes, .*, got "/);
    }
  });

  it.each(
    sampled(
      [
        [
          "in a private window",
          { "browser.privatebrowsing.autostart": true },
          "PERMISSION",
          "the window may be private",
        ],
        [
          "where a site may store nothing",
          { "network.cookie.cookieBehavior": 2 },
          "PERMISSION",
          "the site's data blocked",
        ],
        ["where it is switched off", { "dom.fs.enabled": false }, "UNSUPPORTED", "not switched off"],
      ],
      3,
    ),
  )("%s says why there is no OPFS", async (_, preferences, code, reason) => {
    const closed = await launchFirefox({ preferences });
    try {
      const worker = await startFirefoxWorker(await closed.open(site.origin), "/library.js");
      const failure = await worker.evaluate(() =>
        library.OpfsStorage.open("a.hds", { create: "replace" }).then(
          () => undefined,
          ({ code, message }) => ({ code, message }),
        ),
      );
      expect(failure).toEqual({ code, message: expect.stringContaining(reason) });
    } finally {
      await closed.close();
    }
  });
});
