/** Pages that may not have everything: no WebAssembly under their Content-Security-Policy, no cross-origin isolation. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../support/peers.js";
import { browserNeeds, launchBrowser, type TestBrowser } from "./browser.js";
import { startSite } from "./site.js";

const PAGE = '<!doctype html><title>test</title><script type="module" src="/csp-page.js"></script>';
let browser: TestBrowser;

/** What the page reports. Its own script finds it out: code that a debugger evaluates is above the policy. */
async function reportUnder(contentSecurityPolicy: string) {
  const site = await startSite({
    scripts: { "csp-page": "test/browser/csp-page.ts", "disk-worker": "test/browser/disk-worker.ts" },
    files: { "/page.html": PAGE },
    contentSecurityPolicy,
  });
  try {
    const page = await browser.open(`${site.origin}/page.html`);
    return await page.evaluate(() => globalThis.reported);
  } finally {
    await site.close();
  }
}

describeWith(browserNeeds, "A page whose Content-Security-Policy", () => {
  beforeAll(async () => {
    browser = await launchBrowser();
  });

  afterAll(() => browser?.close());

  it("forbids WebAssembly has disks with the plain TypeScript engine, which say so and why", async () => {
    const { got, here, there, insisting } = await reportUnder("default-src 'self'");
    expect(got).toEqual([1, 2, 3, 4, 5]);
    for (const { engine, engineFallback } of [here, there]) {
      expect(engine).toBe("js");
      expect(engineFallback).toContain("Content Security Policy");
    }
    expect(insisting).toBe("CompileError");
  });

  it("allows WebAssembly has it, without COOP and COEP", async () => {
    const { got, here, there, insisting, crossOriginIsolated } = await reportUnder(
      "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
    );
    expect(got).toEqual([1, 2, 3, 4, 5]);
    for (const { engine, engineFallback } of [here, there])
      expect([engine, engineFallback]).toEqual(["wasm", undefined]);
    expect([insisting, crossOriginIsolated]).toEqual(["open", false]);
  });
});
