/** A process dies, the machine lives: what it wrote reads as a prefix. A guest's record writer is killed, again and again. */
import { writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { createFile, FileStorageSync, openFile } from "../../src/node.js";
import { readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { below, randomFrom } from "../support/random.js";
import { numberOf, orderProblem, RECORD, recordOf, type Said } from "../support/records.js";
import { runs } from "../support/runs.js";
import { buildProgram, Child } from "./programs.js";

const path = temporaryFolder();
const KILLS = runs(3, 1).numRuns;
const SLOTS = 512;

const SETUPS = ["sync", "async", "v86-sync", "v86-async"].flatMap((how) => [
  { how, beneath: "nothing" },
  { how, beneath: "a base" },
]);

let program: string;
beforeAll(() => {
  program = buildProgram("recorder", path);
});

test.each(SETUPS)(
  "records of a killed process are a prefix of those it wrote ($how, over $beneath)",
  async ({ how, beneath }) => {
    const seed = runs(1).seed ?? below(Math.random, 2 ** 31);
    const random = randomFrom(seed);
    const base = beneath === "nothing" ? "" : makeBase();
    for (let kill = 1; kill <= KILLS; kill++) {
      const image = path(`${how}-${beneath}-${kill}.hds`);
      await (await createFile(image, { size: SLOTS * RECORD, clusterSize: 16 * RECORD })).close();
      let before = await slotsOf(image, base);
      // The next one goes on where the one before was killed: it takes an image over that was not closed.
      for (const life of [1, 2]) {
        const first = 1000 * kill + 100_000 * life;
        const said = await killed([image, base, `${seed}`, `${first}`, how], 2 + below(random, 500));
        const found = await slotsOf(image, base);
        expect(orderProblem(found, before, said), `seed ${seed}, kill ${kill}, life ${life}`).toBeUndefined();
        before = found;
      }
    }
  },
);

function makeBase(): string {
  const file = path("base.raw");
  const slots = Array.from({ length: SLOTS - 5 }, (_, slot) => recordOf(slot + 1));
  writeFileSync(file, Buffer.concat(slots));
  return file;
}

/** Kills a writer when it has said so many lines; answers all that it came to say. */
async function killed(args: string[], lines: number): Promise<Said> {
  const child = Child.node(program, args);
  let count = 0;
  await child.line(() => ++count >= lines);
  await child.kill();
  expect(child.errors).toBe("");
  const said: Said = { begun: [], done: [] };
  for (const line of child.lines) {
    const [verb, number, slot] = line.split(" ");
    // A last line may be cut.
    if (verb === "b" && slot !== undefined) said.begun.push({ number: Number(number), slot: Number(slot) });
    else if (verb === "d") said.done.push(Number(number));
  }
  return said;
}

async function slotsOf(image: string, base: string): Promise<number[]> {
  const beneath = base === "" ? {} : { base: FileStorageSync.open(base, { readOnly: true }) };
  const disk = await openFile(image, { readOnly: true, ...beneath });
  const content = await readRange(disk);
  await disk.close();
  beneath.base?.close();
  return Array.from({ length: SLOTS }, (_, slot) => numberOf(content.subarray(slot * RECORD, (slot + 1) * RECORD)));
}
