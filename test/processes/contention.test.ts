import { linkSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { createFile, openFile } from "../../src/node.js";
import { temporaryFolder } from "../support/folder.js";
import { nativeCalls, testWith, tool } from "../support/peers.js";
import { runs } from "../support/runs.js";
import { buildProgram, Child } from "./programs.js";

const path = temporaryFolder();
const TIMES = runs(25, 10).numRuns;
const PLAIN = { PARABLOCK_NO_NATIVE: "1" };

let program: string;
beforeAll(() => {
  program = buildProgram("contender", path);
});

async function arena(name: string): Promise<{ image: string; marker: string; log: string }> {
  const image = path(`${name}.hds`);
  await (await createFile(image, { size: 65536, clusterSize: 4096 })).close();
  writeFileSync(`${image}.log`, "");
  return { image, marker: `${image}.marker`, log: `${image}.log` };
}

const fights = [
  { name: "two with system locks", environments: [{}, {}] },
  { name: "two with lock files", environments: [PLAIN, PLAIN] },
  { name: "one with system locks and one with lock files", environments: [{}, PLAIN] },
].flatMap((fight) => ["one name", "two names"].map((names) => ({ ...fight, names })));

test.each(fights)("of processes that fight for one image never two have it ($name, by $names)", async (fight) => {
  const { image, marker, log } = await arena(`${fight.name}, ${fight.names}`);
  linkSync(image, `${image}.link`);
  const names = [image, fight.names === "two names" ? `${image}.link` : image];
  const children = fight.environments.map((environment, index) =>
    Child.node(program, [names[index], marker, log, "AB"[index], String(TIMES)], environment),
  );
  for (const child of children) await child.line();
  for (const child of children) child.send("go");
  for (const child of children) await expectNoQuarrel(child);
  const winners = readFileSync(log, "utf8");
  expect(winners.split("A").length - 1).toBe(TIMES);
  expect(winners.split("B").length - 1).toBe(TIMES);
  await expectClean(image);
});

testWith([tool("qemu-io"), nativeCalls], "neither have it QEMU and this library at once", async () => {
  const { image, marker, log } = await arena("qemu");
  const child = Child.node(program, [image, marker, log, "A", String(TIMES)]);
  await child.line();
  child.send("go");
  let writes = 0;
  for (let attempt = 0; attempt < 20 * TIMES && child.process.exitCode === null; attempt++) {
    const qemu = new Child("qemu-io", ["-f", "parallels", "-c", "write -P 81 0 512", image]);
    await qemu.ended;
    if (qemu.errors === "") writes++;
    else expect(qemu.errors).toMatch(/Failed to get .* lock/);
  }
  await expectNoQuarrel(child);
  expect(readFileSync(log, "utf8")).toBe("A".repeat(TIMES));
  expect(writes).toBeGreaterThan(0);
  await expectClean(image);
});

/** Waits for a contender's end: it has nothing to say but how often it was refused. */
async function expectNoQuarrel(child: Child): Promise<void> {
  await child.ended;
  expect(child.lines.join("\n") + child.errors).toMatch(/^ready\nrefused \d+$/);
}

async function expectClean(image: string): Promise<void> {
  const disk = await openFile(image);
  expect(disk.info.unclean).toBe(false);
  expect((await disk.check()).findings).toEqual([]);
  await disk.close();
}
