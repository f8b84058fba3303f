import { beforeAll, expect, test } from "vitest";
import { createFile, openFile } from "../../src/node.js";
import { readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { History, type Write } from "../support/history.js";
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
  try {
    runTool("qemu-img", "check", "-f", "parallels", image);
  } catch (error) {
    throw new Error(`${about}: qemu-img check finds faults`, { cause: error });
  }
}
