/** What a disk in a worker costs the page that reads it: starts browsers, and has a page of each measure. */

import { compare } from "../src/measure/compare.js";
import { browserNeeds, launchBrowser } from "../test/browser/browser.js";
import { firefoxNeeds, launchFirefox } from "../test/browser/firefox.js";
import { startSite } from "../test/browser/site.js";
import type { Need } from "../test/support/peers.js";
import type { Answer, Question } from "./question.js";

export const connect: Question = {
  name: "connect",
  title: "A disk in a worker, used from the page, beside a bare postMessage there and back with a transferred buffer",
  bound: "two messages between threads, and for large requests the copy into the caller's buffer.",
  main: ["Chromium: 4 KiB reads, 1 under way", "Chromium: 4 KiB reads, 8 under way"],
  async run({ quick }) {
    const answer: Required<Answer> = { rows: [], peers: {}, skipped: [] };
    for (const browser of BROWSERS) await measureIn(browser, quick, answer);
    return answer;
  },
};

/** A page of a browser, as far as it is used here. */
interface Tab {
  evaluate<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>;
}

interface Browser {
  name: string;
  needs: readonly Need[];
  launch(): Promise<{ open(url: string): Promise<unknown>; close(): Promise<void> }>;
}

const BROWSERS: readonly Browser[] = [
  { name: "Chromium", needs: browserNeeds, launch: launchBrowser },
  { name: "Firefox", needs: firefoxNeeds, launch: launchFirefox },
];

const PAGE = `<!doctype html><title>bench</title><script type="module" src="/page.js"></script>`;
const SCRIPTS = { page: "bench/connect-page.ts", worker: "bench/connect-worker.ts" };

/** What is asked: bytes a request, and requests under way. */
const REQUESTS = [
  { operation: "read", length: 4096, depth: 1, target: 0.8 },
  { operation: "read", length: 4096, depth: 8, target: 0.8 },
  { operation: "read", length: 2 ** 20, depth: 1 },
  { operation: "read", length: 2 ** 20, depth: 8 },
  { operation: "write", length: 2 ** 20, depth: 1 },
] as const;

async function measureIn({ name, needs, launch }: Browser, quick: boolean, answer: Required<Answer>): Promise<void> {
  const missing = needs.filter(({ present }) => !present);
  answer.skipped.push(...missing.map((need) => need.name));
  if (missing.length > 0) return;
  const site = await startSite({ scripts: SCRIPTS, files: { "/index.html": PAGE } });
  const { open, close } = await launch();
  try {
    const tab = (await open(`${site.origin}/index.html`)) as Tab;
    answer.peers[name] = await tab.evaluate(versionIn, name);
    const options = { rounds: quick ? 9 : 61, milliseconds: 25 };
    for (const { operation, length, depth, ...aim } of REQUESTS) {
      const asked = { operation, length, depth, options };
      const [own, other] = await tab.evaluate((asked) => benchConnect(asked), asked);
      const what = `${name}: ${length / 1024} KiB ${operation}s, ${depth} under way`;
      answer.rows.push({ what, against: "bare round trip", ...compare(own, other), unit: "µs", ...aim });
    }
  } finally {
    await close();
    await site.close();
  }
}

/** Runs in the page. */
function versionIn(name: string): string {
  const pattern = name === "Firefox" ? /Firefox\/([\d.]+)/ : /Chrome\/([\d.]+)/;
  return pattern.exec(navigator.userAgent)?.[1] ?? "of an unknown version";
}
