import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { createFile, openFile } from "../../src/node.js";
import { Bitmaps } from "../crash/bitmaps.js";
import { readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { History, type Write } from "../support/history.js";
import { FIELD, fieldOf } from "../support/image.js";
import { runTool, tool } from "../support/peers.js";
import { below, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { SECTOR } from "../support/sectors.js";
import { buildProgram, Child } from "./programs.js";

const path = temporaryFolder();
const KILLS = runs(17, 8).numRuns;
const CLUSTERS = 40;
/** Requests after which a process ends by itself, and lines after which it is killed at the latest. */
const [REQUESTS, LINES] = [400, 250];

const SETUPS = [
  { face: "sync", format: "v2", clusterSize: 4096, preallocation: 64 * 1024 },
  { face: "async", format: "v2", clusterSize: 4096, preallocation: 64 * 1024 },
  { face: "async", format: "v1", clusterSize: 7 * 512, preallocation: 0 },
] as const;

/** Of 512 bytes, so that the BAT comes to need more room than it has. */
const WHOLE_SETUPS = [
  { face: "sync", format: "v1", clusterSize: 512, preallocation: 0 },
  { face: "async", format: "v2", clusterSize: 512, preallocation: 8192 },
  { face: "async", format: "v2", clusterSize: 4096, preallocation: 0 },
] as const;
const MOST_CLUSTERS = 150;

const qemu = tool("qemu-img");

let program: string;
beforeAll(() => {
  program = buildProgram("writer", path);
});

test.each(SETUPS)(
  "a process that is killed while it writes loses nothing that was flushed ($face face, $format)",
  async ({ face, format, clusterSize, preallocation }) => {
    const seed = runs(1).seed ?? below(Math.random, 2 ** 31);
    const random = randomFrom(seed);
    const image = path(`${face}-${format}.hds`);
    const size = CLUSTERS * clusterSize;
    await (await createFile(image, { size, clusterSize, format })).close();
    const history = new History(size / SECTOR);
    for (let kill = 1; kill <= KILLS; kill++) {
      const args = [image, below(random, 2 ** 31), kill * 100_000, face, preallocation, REQUESTS];
      const lines = await killed(Child.node(program, args.map(String)), 1 + below(random, LINES));
      replay(history, lines);
      await expectKept(image, history, kill % 3 !== 0, `seed ${seed}, kill ${kill}`);
    }
    // Otherwise the test would say little.
    expect(history.flushes).toBeGreaterThan(KILLS);
    expect(history.confirmed).toBeGreaterThan(KILLS);
  },
);

test.each(WHOLE_SETUPS)(
  "nor one that resizes and compacts, and its bitmap misses nothing ($face face, $format, clusters of $clusterSize)",
  async ({ face, format, clusterSize, preallocation }) => {
    const seed = runs(1).seed ?? below(Math.random, 2 ** 31);
    const random = randomFrom(seed);
    const image = path(`whole-${face}-${clusterSize}.hds`);
    const size = CLUSTERS * clusterSize;
    const disk = await createFile(image, { size, clusterSize, format });
    await disk.addBitmap({ granularity: 4096 });
    await disk.close();
    const history = new History(size / SECTOR);
    let bitmaps = new Bitmaps(readFileSync(image), new Uint8Array(size));
    for (let kill = 1; kill <= KILLS; kill++) {
      const most = (MOST_CLUSTERS * clusterSize) / SECTOR;
      const args = [image, below(random, 2 ** 31), kill * 100_000, face, preallocation, REQUESTS, most];
      replay(history, await killed(Child.node(program, args.map(String)), 1 + below(random, LINES)));
      const about = `seed ${seed}, kill ${kill}`;
      expect(bitmaps.fault(readFileSync(image), await contentOf(image)), about).toBeUndefined();
      await expectKept(image, history, kill % 3 !== 0, about);
      if (kill % 2 === 0) bitmaps = await begunAnew(image);
    }
    expect(history.flushes).toBeGreaterThan(KILLS / 2);
  },
);

async function contentOf(image: string): Promise<Uint8Array> {
  const disk = await openFile(image, { readOnly: true });
  const content = await readRange(disk);
  await disk.close();
  return content;
}

/** Has the bitmaps of an image begin anew, so that they are believed whatever they were. */
async function begunAnew(image: string): Promise<Bitmaps> {
  const disk = await openFile(image);
  for (const { id } of disk.bitmaps) await disk.clearBitmap(id);
  await disk.close();
  return new Bitmaps(readFileSync(image), await contentOf(image));
}

/** Kills a process when it has said so many lines; answers all that it came to say. */
async function killed(child: Child, lines: number): Promise<string[]> {
  let count = 0;
  await child.line(() => ++count >= lines).catch(() => {}); // it may have come to its end
  await child.kill();
  expect(child.errors).toBe("");
  return child.lines;
}

/** Takes in what one process said. */
function replay(history: History, lines: readonly string[]): void {
  const writes = new Map<string, Write>();
  const flushes = new Map<string, number>();
  for (const line of lines) {
    const [verb, id = "", ...numbers] = line.split(" ");
    const [version, first, count] = numbers.map(Number);
    if (verb === "b") writes.set(id, history.begin(version!, first!, count!));
    else if (verb === "d") history.end(writes.get(id)!);
    else if (verb === "r") history.beginResize(version!);
    else if (verb === "R") history.endResize();
    else if (verb === "f") flushes.set(id, history.beginFlush());
    else if (verb === "F") history.endFlush(flushes.get(id)!);
  }
}

/** Looks at what is left, takes it over, and leaves it closed or as it is. */
async function expectKept(image: string, history: History, close: boolean, about: string): Promise<void> {
  const found = await openFile(image, { readOnly: true });
  expect(history.problemWith(await readRange(found)), about).toBeUndefined();
  await found.close();
  const disk = await openFile(image);
  const content = await readRange(disk);
  expect(history.problemWith(content), about).toBeUndefined();
  history.settle(content);
  expect((await disk.check()).corruptions, about).toBe(0);
  if (close) await disk.close();
  else await disk.abandon();
  if (close) expectFineForQemu(image, about);
}

function expectFineForQemu(image: string, about: string): void {
  if (!qemu.present && !qemu.required) return; // in CI its absence is a failure
  // It takes the clusters of an extension for leaks.
  if (fieldOf(readFileSync(image), FIELD.extensionLow) > 0) return;
  try {
    runTool("qemu-img", "check", "-f", "parallels", image);
  } catch (error) {
    throw new Error(`${about}: qemu-img check finds faults`, { cause: error });
  }
}
