/** `compact` on files: what it says, what it leaves alone, and QEMU as second judge of what it leaves. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFileSync, openFileSync } from "../../src/node.js";
import { FileStorageSync } from "../../src/storage/file.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, runTool, tool } from "../support/peers.js";
import { contentOf, parablock } from "./command.js";

const file = temporaryFolder();
const K = 1024;
const CLUSTER = 64 * K;

/** Eight clusters, not in order; one is all zeros, two are free and lie between. */
function prepare(): { name: string; content: Uint8Array } {
  const name = file(`disk-${Math.random()}.hds`);
  const disk = createFileSync(name, { size: 20 * CLUSTER, clusterSize: CLUSTER });
  for (const cluster of [9, 2, 7, 0, 5, 4, 3, 1])
    disk.write(new Uint8Array(CLUSTER).fill(cluster + 1), cluster * CLUSTER);
  disk.flush();
  disk.write(new Uint8Array(CLUSTER), 5 * CLUSTER);
  disk.discard(2 * CLUSTER, CLUSTER);
  disk.discard(7 * CLUSTER, CLUSTER);
  disk.close();
  return { name, content: contentOf(name) };
}

const ok = (...args: string[]) => {
  const outcome = parablock(["compact", ...args]);
  expect([outcome.stderr, outcome.status]).toEqual(["", 0]);
  return outcome.stdout;
};
const expectSame = (one: Uint8Array, other: Uint8Array) => expect(Buffer.compare(one, other)).toBe(0);

describe("parablock compact", () => {
  it("says what it would gain, gains that, and then has nothing left to gain", () => {
    const { name, content } = prepare();
    const before = readFileSync(name);
    expect(ok("--dry-run", name)).toBe(
      `${name} would shrink from 576 KiB to 384 KiB, by 192 KiB\nclusters of zeros: 1, gaps: 2 clusters, moved: 3 clusters\n`,
    );
    expectSame(readFileSync(name), before);
    expect(ok(name)).toBe(
      `${name} shrank from 576 KiB to 384 KiB, by 192 KiB\nclusters of zeros: 1, gaps: 2 clusters, moved: 3 clusters\n`,
    );
    expectSame(contentOf(name), content);
    const after = readFileSync(name);
    expect(after.length).toBe(6 * CLUSTER);
    expect(ok(name)).toBe(`Nothing to gain: ${name} stays as it is (384 KiB)\n`);
    expectSame(readFileSync(name), after);
  });

  it("leaves guest order, and reports as JSON", () => {
    const { name, content } = prepare();
    const sizes = { fileSizeBefore: 9 * CLUSTER, fileSizeAfter: 6 * CLUSTER };
    const gained = { ...sizes, zeroClusters: 1, freeClusters: 2 };
    expect(JSON.parse(ok("--dry-run", "--order", "--json", name))).toEqual({
      ...{ filename: name, dryRun: true, ...gained, movedClusters: 5 },
    });
    expect(JSON.parse(ok("--order", "--json", name))).toMatchObject({ filename: name, dryRun: false, ...gained });
    const { fragmentedClusters } = JSON.parse(parablock(["check", "--json", name]).stdout);
    expect(fragmentedClusters).toBe(0);
    expectSame(contentOf(name), content);
  });

  it("keeps the zeros of an overlay that hide its base", () => {
    const base = file("base.raw");
    writeFileSync(base, new Uint8Array(4 * CLUSTER).fill(5));
    const name = file("top.hds");
    const below = FileStorageSync.open(base);
    const disk = createFileSync(name, { size: 6 * CLUSTER, clusterSize: CLUSTER, base: below });
    disk.write(new Uint8Array(6 * CLUSTER), 0);
    disk.close();
    below.close();
    expect(JSON.parse(ok("--json", name, "--base", base))).toMatchObject({
      zeroClusters: 2,
      fileSizeAfter: 5 * CLUSTER,
    });
    expect(JSON.parse(ok("--json", "--dry-run", name))).toMatchObject({ zeroClusters: 4 });
    const again = openFileSync(name, { readOnly: true, base: FileStorageSync.open(base, { readOnly: true }) });
    const content = new Uint8Array(6 * CLUSTER).fill(1);
    again.read(content, 0);
    expect(content.every((byte) => byte === 0)).toBe(true);
    again.close();
  });

  it("takes a bundle of one image, and refuses one of several, and each of its images without a base", () => {
    const raw = file("in.raw");
    writeFileSync(raw, new Uint8Array(3 * CLUSTER).fill(3));
    const bundle = file("one.hdd");
    expect(parablock(["convert", raw, bundle, "--cluster-size", "64K"])).toMatchObject({ status: 0 });
    expect(ok(bundle)).toMatch(/^Nothing to gain: /);
    const image = (index: number) =>
      join(bundle, JSON.parse(parablock(["info", "--json", bundle]).stdout).parts[0].images[index].file);
    expect(ok(image(0))).toMatch(/^Nothing to gain: /);
    expect(parablock(["snapshot", "create", bundle])).toMatchObject({ status: 0 });
    for (const name of [bundle, image(0), image(1)]) {
      const { status, stderr } = parablock(["compact", name]);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/is a bundle of 2 images, in which zeros may hide/)]);
    }
    const outcome = parablock(["compact", image(1), "--base", image(0)]);
    expect(outcome).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Nothing to gain: /) });
  });

  it("refuses what is no image, what is damaged, and a base that is the image itself", () => {
    const raw = file("plain.raw");
    writeFileSync(raw, new Uint8Array(100_000).fill(1));
    expect(parablock(["compact", raw])).toMatchObject({ status: 1, stderr: expect.stringContaining(raw) });
    const { name } = prepare();
    expect(parablock(["compact", name, "--base", name])).toMatchObject({ status: 2 });
    const bytes = readFileSync(name);
    bytes.writeUInt32LE(4000, 64);
    writeFileSync(name, bytes);
    for (const option of [[], ["--dry-run"]]) {
      const { status, stderr } = parablock(["compact", ...option, name]);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/repair/)]);
    }
    expectSame(readFileSync(name), bytes);
  });
});

describeWith([tool("qemu-img")], "qemu-img after parablock compact", () => {
  it("finds nothing wrong, and the same content", () => {
    for (const option of [[], ["--order"]]) {
      const { name, content } = prepare();
      const raw = file("content.raw");
      writeFileSync(raw, content);
      ok(...option, name);
      runTool("qemu-img", "check", name);
      runTool("qemu-img", "compare", "-f", "parallels", "-F", "raw", name, raw);
      expect(statSync(name).size).toBe(6 * CLUSTER);
    }
  });
});
