import { statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createFile, openFile } from "../../src/node.js";
import { buildProgram, Child } from "../processes/programs.js";
import { firstDifference } from "../support/bytes.js";
import { readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, nativeCalls } from "../support/peers.js";
import { patternBytes } from "../support/random.js";

const path = temporaryFolder();

const MIB = 2 ** 20;
const CLUSTER = 64 * 1024;
const SIZE = 64 * MIB;
/** Blocks that a file system takes for its own tables. */
const SLACK = MIB / 4;

/** Bytes on the medium. */
const spaceOf = (image: string): number => statSync(image).blocks * 512;
const sizeOf = (image: string): number => statSync(image).size;

/** A new image, and where its data begins. */
async function make(name: string, mode: "falloc" | "truncate" | "off", size = 4 * MIB, diskSize = SIZE) {
  const image = path(`${name}.hds`);
  const disk = await createFile(image, { size: diskSize, clusterSize: CLUSTER, prealloc: { mode, size } });
  return { image, disk, start: disk.info.dataOffset };
}

describeWith([nativeCalls], "preallocation of blocks", () => {
  test("grows the file by blocks that are really there, and close gives back the rest", async () => {
    const { image, disk, start } = await make("falloc", "falloc");
    await disk.write(patternBytes(1, 100), 0);
    expect(sizeOf(image)).toBe(start + 4 * MIB);
    expect(spaceOf(image)).toBeGreaterThanOrEqual(4 * MIB);
    expect(disk.info.preallocation).toEqual({ mode: "falloc", size: 4 * MIB });
    await disk.write(patternBytes(2, 5 * MIB), 10 * MIB);
    expect(sizeOf(image)).toBe(start + 8 * MIB);
    await disk.close();
    expect(sizeOf(image)).toBe(start + 5 * MIB + CLUSTER);
    expect(spaceOf(image)).toBeLessThan(sizeOf(image) + SLACK);
  });

  test("is what happens where nothing is asked for, by no more than the disk can need", async () => {
    const image = path("default.hds");
    const disk = await createFile(image, { size: 3 * MIB, clusterSize: CLUSTER });
    expect(disk.info.preallocation).toEqual({ mode: "falloc", size: 128 * MIB });
    await disk.write(patternBytes(1, 1), 0);
    expect(sizeOf(image)).toBe(disk.info.dataOffset + 3 * MIB);
    await disk.close();
  });

  test("shows as zeros what was never written", async () => {
    const { image, disk } = await make("zeros", "falloc");
    await disk.write(patternBytes(1, 100), CLUSTER + 50);
    const expected = new Uint8Array(2 * CLUSTER);
    expected.set(patternBytes(1, 100), CLUSTER + 50);
    expect(firstDifference(await readRange(disk, 0, 2 * CLUSTER), expected)).toBe(-1);
    await disk.close();
    const again = await openFile(image);
    expect(firstDifference(await readRange(again, 0, 2 * CLUSTER), expected)).toBe(-1);
    await again.close();
  });

  test("does not last in a discarded cluster: flush gives its blocks back", async () => {
    const { image, disk } = await make("discard", "falloc");
    await disk.write(patternBytes(3, 4 * MIB), 0);
    await disk.flush();
    const before = spaceOf(image);
    await disk.discard(CLUSTER / 2, 3 * MIB);
    expect(spaceOf(image)).toBeGreaterThan(before - SLACK);
    await disk.flush();
    const freed = before - spaceOf(image);
    expect(freed).toBeGreaterThan(3 * MIB - 2 * CLUSTER - SLACK);
    expect(freed).toBeLessThanOrEqual(3 * MIB);
    const file = sizeOf(image);
    await disk.write(patternBytes(4, 2 * MIB), 20 * MIB);
    expect(sizeOf(image)).toBe(file); // the holes are used again
    expect(firstDifference(await readRange(disk, 20 * MIB, 2 * MIB), patternBytes(4, 2 * MIB))).toBe(-1);
    await disk.close();
  });
});

describe("growing by size alone", () => {
  test("takes no blocks ahead", async () => {
    const { image, disk, start } = await make("truncate", "truncate");
    await disk.write(patternBytes(1, 100), 0);
    expect(sizeOf(image)).toBe(start + 4 * MIB);
    expect(spaceOf(image)).toBeLessThan(2 * CLUSTER + SLACK);
    expect(disk.info.preallocation).toEqual({ mode: "truncate", size: 4 * MIB });
    await disk.close();
    expect(sizeOf(image)).toBe(start + CLUSTER);
  });

  test("goes no further than needed where it is off", async () => {
    const { image, disk, start } = await make("off", "off");
    for (const cluster of [9, 2, 5]) await disk.write(patternBytes(cluster, 10), cluster * CLUSTER);
    expect(sizeOf(image)).toBe(start + 3 * CLUSTER);
    await disk.close();
    expect(sizeOf(image)).toBe(start + 3 * CLUSTER);
  });
});

test("without native calls the file grows by size alone, and info says why", async () => {
  const program = buildProgram("grower", path);
  const image = path("fallback.hds");
  const child = Child.node(program, [image], { PARABLOCK_NO_NATIVE: "1" });
  const { preallocation, grown, closed } = JSON.parse(await child.line());
  await child.ended;
  expect(preallocation).toMatchObject({ mode: "falloc", fallback: expect.stringContaining("PARABLOCK_NO_NATIVE") });
  expect(grown).toBe(CLUSTER + 4 * MIB);
  expect(closed).toBe(CLUSTER);
});
