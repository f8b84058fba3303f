/** A process whose address space is short: each WebAssembly memory reserves gigabytes of it, and disks must go on without. */

import { truncateSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { bundleLibrary, runChild } from "../support/child.js";
import { temporaryFolder } from "../support/folder.js";
import { makeImage } from "../support/image.js";
import { addressSpaceLimits, describeWith } from "../support/peers.js";

const path = temporaryFolder();
const bundle = bundleLibrary(path("library.mjs"));
const LIMIT = 60e9;

/** Makes disks until one has the plain engine, and leaves `disks` with each a byte of its own at 5000. */
const MANY_DISKS = `
  const { Disk, DiskSync, MemoryStorage, createZeroScanner } = library;
  const options = { size: 2 ** 20, clusterSize: 4096 };
  const disks = [];
  while (disks.length < 40 && disks.at(-1)?.info.engine !== "js") {
    const disk = disks.length % 2 ? DiskSync.create(new MemoryStorage(), options) : await Disk.create(new MemoryStorage(), options);
    await disk.write(new Uint8Array([1 + disks.length]), 5000);
    disks.push(disk);
  }
  const attempt = async (make) => {
    try { return await make(); } catch ({ name, code, message }) { return { name, code, message }; }
  };
`;

describeWith([addressSpaceLimits], "A process with room for a few WebAssembly memories", () => {
  it("has disks beyond them, with the plain engine, each of which says why", () => {
    const disks = runChild(
      bundle,
      `${MANY_DISKS}
      const facts = [];
      for (const disk of disks) {
        const byte = new Uint8Array(1);
        await disk.read(byte, 5000);
        const { engine, engineFallback } = disk.info;
        facts.push({ byte: byte[0], engine, engineFallback, corruptions: (await disk.check()).corruptions });
      }
      console.log(JSON.stringify(facts));`,
      [],
      LIMIT,
    ) as { byte: number; engine: string; engineFallback?: string; corruptions: number }[];
    expect(disks.map(({ byte }) => byte)).toEqual(disks.map((_, index) => index + 1));
    expect(disks.map(({ corruptions }) => corruptions)).toEqual(disks.map(() => 0));
    const last = disks.pop();
    expect(last).toMatchObject({ engine: "js", engineFallback: expect.stringMatching(/memory/) });
    // Those that have it do not speak of it.
    expect(disks.length).toBeGreaterThan(0);
    for (const { engine, engineFallback } of disks) expect([engine, engineFallback]).toEqual(["wasm", undefined]);
  });

  it("gets NO_MEMORY where WebAssembly is asked for by name, and nothing of the kind where the plain engine is", () => {
    const [async, sync, scanner, plain] = runChild(
      bundle,
      `${MANY_DISKS}
      console.log(JSON.stringify([
        await attempt(() => Disk.create(new MemoryStorage(), { ...options, engine: "wasm" })),
        await attempt(() => DiskSync.create(new MemoryStorage(), { ...options, engine: "wasm" })),
        await attempt(() => createZeroScanner("wasm", 1000)),
        DiskSync.create(new MemoryStorage(), { ...options, engine: "js" }).info,
      ]));`,
      [],
      LIMIT,
    ) as Record<string, unknown>[];
    for (const error of [async, sync, scanner]) {
      expect(error).toMatchObject({
        name: "DiskError",
        code: "NO_MEMORY",
        message: expect.stringMatching(/address space/),
      });
    }
    expect([plain.engine, plain.engineFallback]).toEqual(["js", undefined]);
  });

  it("cannot open a disk whose BAT does not fit, which is NO_MEMORY and no caller's mistake", () => {
    const entries = 2 ** 29 - 1;
    const head = makeImage({ format: "v2", tracks: 8, hosts: [], header: { batEntries: entries } }).subarray(0, 64);
    writeFileSync(path("huge.hds"), head);
    truncateSync(path("huge.hds"), 64 + 4 * entries);
    const failures = runChild(
      bundle,
      `const failures = [];
      for (const engine of ["js", "wasm", undefined]) {
        for (const open of [library.openFile, library.openFileSync]) {
          try { await open(${JSON.stringify(path("huge.hds"))}, { readOnly: true, engine }); failures.push("open"); }
          catch ({ name, code }) { failures.push(name + " " + code); }
        }
      }
      console.log(JSON.stringify(failures));`,
      [],
      2.5e9,
    );
    expect(failures).toEqual(new Array(6).fill("DiskError NO_MEMORY"));
  });

  it("checks a disk that has the last of them: what it looks for zeros with needs none", () => {
    const [engine, leaks] = runChild(
      bundle,
      `${MANY_DISKS}
      const disk = disks.at(-2);
      // A free cluster between used ones is looked at.
      for (const offset of [0, 4096, 8192, 12288]) await disk.write(new Uint8Array(4096).fill(7), offset);
      await disk.flush();
      await disk.discard(0, 4096);
      await disk.flush();
      console.log(JSON.stringify([disk.info.engine, (await disk.check()).corruptions]));`,
      [],
      LIMIT,
    ) as [string, number];
    expect([engine, leaks]).toEqual(["wasm", 0]);
  });
});
