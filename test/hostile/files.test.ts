import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { DiskError } from "../../src/errors.js";
import { createFile, createFileSync, openFile, openFileSync } from "../../src/node.js";
import { bundleLibrary, runChild } from "../support/child.js";
import { type AnyDisk, engines } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { makeImage } from "../support/image.js";
import { hasTool } from "../support/peers.js";

const path = temporaryFolder();
const bundle = bundleLibrary(path("library.mjs"));
const image = makeImage({ format: "v2", tracks: 8, hosts: [0, 1] });

const openers = [
  { name: "openFile", open: openFile as (path: string, options?: object) => Promise<AnyDisk> },
  {
    name: "openFileSync",
    open: async (path: string, options?: object): Promise<AnyDisk> => openFileSync(path, options),
  },
];

/** Files that this process has open. */
const openFiles = (): number => readdirSync("/proc/self/fd").length;
const canCountFiles = process.platform === "linux";

describe.each(openers)("$name", ({ open }) => {
  it.each([true, false])("names what is not a file that can be opened (readOnly: %s)", async (readOnly) => {
    mkdirSync(path("bundle.hdd"), { recursive: true });
    writeFileSync(path("bundle.hdd/disk.hds"), image);
    writeFileSync(path("empty.hds"), "");
    await expect(open(path("bundle.hdd"), { readOnly })).rejects.toMatchObject({
      code: "IS_DIRECTORY",
      details: { path: path("bundle.hdd"), images: ["disk.hds"] },
    });
    await expect(open(path("nothing.hds"), { readOnly })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(open(path("empty.hds"), { readOnly })).rejects.toMatchObject({ code: "NOT_PARALLELS" });
    await expect(open("/dev/null", { readOnly })).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(open(path("empty.hds/inside"), { readOnly })).rejects.toMatchObject({ name: "DiskError" });
  });

  it.runIf(hasTool("mkfifo"))("refuses a pipe instead of waiting for it", async () => {
    const pipe = path(`pipe-${Math.random()}`);
    execFileSync("mkfifo", [pipe]);
    await expect(open(pipe)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(open(pipe, { readOnly: true })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  it("refuses a link that leads to itself", async () => {
    const link = path(`loop-${Math.random()}`);
    symlinkSync(link, link);
    await expect(open(link)).rejects.toMatchObject({ name: "DiskError" });
  });

  it.runIf(canCountFiles)("leaves no file open where it fails", async () => {
    writeFileSync(path("bad.hds"), image.subarray(0, 70));
    writeFileSync(path("good.hds"), image);
    const before = openFiles();
    for (const attempt of [
      () => open(path("bad.hds")),
      () => open(path("bad.hds"), { readOnly: true }),
      () => open(path("good.hds"), { engine: "none" }),
      () => open(path("/")),
    ]) {
      await expect(attempt()).rejects.toThrow();
    }
    expect(openFiles()).toBe(before);
  });
});

describe("Creating a file", () => {
  const creators = [
    { name: "createFile", create: createFile as (path: string, options: object) => Promise<AnyDisk> },
    {
      name: "createFileSync",
      create: async (path: string, options: object): Promise<AnyDisk> =>
        createFileSync(path, options as { size: number }),
    },
  ];

  it.each(creators)("is refused for sizes that make no sense, before a file is made: $name", async ({ create }) => {
    const target = path(`never-${Math.random()}`);
    for (const options of [
      { size: -512 },
      { size: 100 },
      { size: 1.5 },
      { size: Number.NaN },
      { size: 2 ** 60 },
      { size: "512" },
      {},
      { size: 2 ** 53 - 512, format: "v1" },
      { size: 512, clusterSize: 0 },
      { size: 512, clusterSize: 100 },
      { size: 512, clusterSize: 2 ** 31 },
      { size: 512, clusterSize: -512 },
      { size: 2 ** 40, clusterSize: 512 },
      { size: 512, format: "v3" },
      { size: 512, engine: "none" },
    ]) {
      await expect(create(target, options), JSON.stringify(options)).rejects.toThrow(RangeError);
    }
    await expect(openFile(target)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it.each(creators)("leaves a file that exists alone, unless told to replace it: $name", async ({ name, create }) => {
    const target = path(`exists-${name}`);
    writeFileSync(target, image);
    await expect(create(target, { size: 512 })).rejects.toMatchObject({ code: "EXISTS" });
    const kept = await openFile(target, { readOnly: true });
    expect(kept.size).toBe(2 * 4096);
    await kept.close();
    const disk = await create(target, { size: 512, replace: true });
    expect(disk.size).toBe(512);
    await disk.close();
  });
});

const nobody = 65534;
const isRoot = process.getuid?.() === 0;

describe("Without permission", () => {
  /** Runs as a user whom the file's rights bind: root's child as nobody, anybody else as themselves. */
  const attempt = (file: string, options: object): unknown =>
    runChild(
      bundle,
      `${isRoot ? `process.setgroups([]); process.setgid(${nobody}); process.setuid(${nobody});` : ""}
      const result = {};
      try { library.openFileSync(${JSON.stringify(file)}, ${JSON.stringify(options)}).abandon(); result.sync = "opened"; }
      catch (error) { result.sync = error.code; }
      try { await (await library.openFile(${JSON.stringify(file)}, ${JSON.stringify(options)})).abandon(); result.async = "opened"; }
      catch (error) { result.async = error.code; }
      console.log(JSON.stringify(result));`,
    );

  it.runIf(process.getuid)("a file is a named error for both faces", () => {
    chmodSync(path("."), 0o755);
    writeFileSync(path("secret.hds"), image);
    chmodSync(path("secret.hds"), 0o000);
    expect(attempt(path("secret.hds"), {})).toEqual({ sync: "PERMISSION", async: "PERMISSION" });
    expect(attempt(path("secret.hds"), { readOnly: true })).toEqual({ sync: "PERMISSION", async: "PERMISSION" });
    chmodSync(path("secret.hds"), 0o444);
    expect(attempt(path("secret.hds"), {})).toEqual({ sync: "PERMISSION", async: "PERMISSION" });
    expect(attempt(path("secret.hds"), { readOnly: true })).toEqual({ sync: "opened", async: "opened" });
  });

  it.runIf(process.getuid)("a folder is a named error for both faces", () => {
    chmodSync(path("."), 0o755);
    mkdirSync(path("secret"), { recursive: true });
    chmodSync(path("secret"), 0o000);
    for (const options of [{}, { readOnly: true }]) {
      const { sync, async } = attempt(path("secret"), options) as Record<string, DiskError["code"]>;
      expect(["IS_DIRECTORY", "PERMISSION"]).toContain(sync);
      expect(async).toBe(sync);
    }
    chmodSync(path("secret"), 0o755);
  });
});

describe.each(engines)("A file of 64 bytes that claims a huge BAT (%s engine)", (engine) => {
  it.each([2 ** 29, 2 ** 29 - 1, 2 ** 32 - 1, 2 ** 20])("of %i entries costs less than 20 MiB to refuse", (entries) => {
    const file = makeImage({ format: "v2", tracks: 8, hosts: [], header: { batEntries: entries } }).subarray(0, 64);
    writeFileSync(path("huge.hds"), file);
    const grown = runChild(
      bundle,
      `library.createZeroScanner(${JSON.stringify(engine)}, 64); // what any disk needs is there
      gc();
      const total = () => { const { rss, external, arrayBuffers, heapTotal } = process.memoryUsage(); return { rss, external, arrayBuffers, heapTotal }; };
      const before = total();
      const codes = [];
      for (const readOnly of [true, false]) {
        try { library.openFileSync(${JSON.stringify(path("huge.hds"))}, { readOnly, engine: ${JSON.stringify(engine)} }); }
        catch (error) { codes.push(error.code); }
        try { await library.openFile(${JSON.stringify(path("huge.hds"))}, { readOnly, engine: ${JSON.stringify(engine)} }); }
        catch (error) { codes.push(error.code); }
      }
      const after = total();
      const grown = Math.max(...Object.keys(before).map((key) => after[key] - before[key]));
      const highest = process.resourceUsage().maxRSS * 1024 - before.rss;
      console.log(JSON.stringify({ codes, grown: Math.max(grown, highest) }));`,
      ["--expose-gc"],
    ) as { codes: string[]; grown: number };
    const code = entries > 2 ** 29 - 1 ? "BAD_HEADER" : "TRUNCATED";
    expect(grown.codes).toEqual([code, code, code, code]);
    expect(grown.grown).toBeLessThan(20 * 2 ** 20);
  });
});
