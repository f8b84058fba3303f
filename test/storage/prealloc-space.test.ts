import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createFile, createFileSync, openFile } from "../../src/node.js";
import { firstDifference } from "../support/bytes.js";
import { type AnyDisk, faces, readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, type Need, runTool, tool } from "../support/peers.js";
import { patternBytes } from "../support/random.js";
import { sampled } from "../support/runs.js";

const path = temporaryFolder();
const volume = path("volume");
const CLUSTER = 4096;
const CLUSTERS = 16384;
/** The BAT entries of neighbours in this order lie far apart: many blocks of the BAT are written. */
const STRIDE = 4099;

const qemu = tool("qemu-img");
const isRoot = process.getuid?.() === 0;
const mounting: Need = { name: "mounting a tmpfs (root)", present: isRoot && mount(), required: inCi() && isRoot };

function inCi(): boolean {
  return process.env.CI === "true";
}

function mount(): boolean {
  mkdirSync(volume);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", volume], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

afterAll(() => {
  // A handle that was left open would keep it busy.
  if (mounting.present) execFileSync("umount", [volume]);
});

const MODES = ["falloc", "truncate", "off"] as const;
const cases = faces.flatMap((face) => MODES.map((mode) => ({ face, mode })));

describeWith([mounting], "a file system without space", () => {
  test.each(sampled(cases, 2))("fails the write and loses nothing ($face face, $mode)", async ({ face, mode }) => {
    const image = join(volume, `${face}-${mode}.hds`);
    const options = { size: CLUSTERS * CLUSTER, clusterSize: CLUSTER, prealloc: { mode, size: 2 ** 20 } };
    const disk: AnyDisk = face === "sync" ? createFileSync(image, options) : await createFile(image, options);
    try {
      await fillAndGoOn(image, disk);
    } finally {
      await disk.abandon();
      rmSync(image);
    }
  });

  test("fails creating an image, and keeps no file open", async () => {
    const rest = join(volume, "rest");
    expect(() => writeFileSync(rest, new Uint8Array(2 ** 24))).toThrow("ENOSPC");
    const image = join(volume, "none.hds");
    await expect(createFile(image, { size: 2 ** 40 })).rejects.toMatchObject({ code: "NO_SPACE" });
    const open = readdirSync("/proc/self/fd").length;
    await expect(createFile(image, { size: 2 ** 40, replace: true })).rejects.toMatchObject({ code: "NO_SPACE" });
    expect(readdirSync("/proc/self/fd").length).toBe(open);
    rmSync(rest);
    rmSync(image, { force: true });
  });
});

/** Writes until there is no space, looks at what was written, frees some of it, and goes on to a clean close. */
async function fillAndGoOn(image: string, disk: AnyDisk): Promise<void> {
  const tags = new Map<number, number>();
  const write = async (cluster: number, tag: number) => {
    await disk.write(patternBytes(tag, CLUSTER), cluster * CLUSTER);
    tags.set(cluster, tag);
  };
  const full = (async () => {
    for (let count = 0; ; count++) await write((count * STRIDE) % CLUSTERS, count);
  })();
  await expect(full).rejects.toMatchObject({ code: "NO_SPACE", cause: { code: "ENOSPC" } });
  expect(tags.size).toBeGreaterThan(1500);
  await expectContent(disk, tags);
  const again = (async () => write((tags.size * STRIDE) % CLUSTERS, 1))();
  await expect(again).rejects.toMatchObject({ code: "NO_SPACE" });

  for (const cluster of [...tags.keys()].slice(0, 300)) {
    await disk.discard(cluster * CLUSTER, CLUSTER);
    tags.delete(cluster);
  }
  await disk.flush();
  for (let count = 0; count < 200; count++) await write(count * 3, 100_000 + count);
  await expectContent(disk, tags);
  await disk.close();

  const reopened = await openFile(image);
  await expectContent(reopened, tags);
  expect((await reopened.check()).findings).toEqual([]);
  await reopened.close();
  if (qemu.present || qemu.required) runTool("qemu-img", "check", "-f", "parallels", image);
}

async function expectContent(disk: AnyDisk, tags: Map<number, number>): Promise<void> {
  const content = await readRange(disk);
  const expected = new Uint8Array(content.length);
  for (const [cluster, tag] of tags) expected.set(patternBytes(tag, CLUSTER), cluster * CLUSTER);
  expect(firstDifference(content, expected)).toBe(-1);
}
