// `npm run demo`: a tour. Makes a disk in demo-out/, writes to it and reads it back with the library, then looks at it,
// checks, converts and compares it with the command line. Leaves a picture of what lies where.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { openFile } from "parablock/node";

const MEBIBYTE = 1024 * 1024;
const FOLDER = "demo-out";
const DISK = `${FOLDER}/disk.hds`;
/** What is written where, in this order: two files in one piece, then small pieces all over the disk. */
const WRITES = [
  { offset: 0, length: 24 * MEBIBYTE, seed: 1 },
  { offset: 96 * MEBIBYTE, length: 40 * MEBIBYTE, seed: 2 },
  ...Array.from({ length: 48 }, (_, i) => ({
    offset: (140 + ((i * 29) % 97)) * MEBIBYTE + 3000,
    length: 300_000 + i * 1000,
    seed: 3 + i,
  })),
];

const started = performance.now();
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);

say("Parablock, from one end to the other. Everything happens in demo-out/.");

step("Making a disk of 256 MiB with clusters of 256 KiB");
parablock("create", DISK, "256M", "--cluster-size", "256K");

step("Writing a pattern with the library: two long files, then small pieces here and there");
await writePattern();
say(`  ${WRITES.length} writes, flushed and closed.`);

step("Reading it back, every byte");
await verifyPattern();
say("  All as written; everything else reads as zeros.");

step("What is this file?");
parablock("info", DISK);

step("What lies where? (the first ten extents: guest offset, length, kind, file offset)");
parablock("map", DISK);

step("Is it sound?");
parablock("check", DISK);

step("To raw and back into a new image, then comparing");
parablock("convert", DISK, `${FOLDER}/disk.raw`);
parablock("convert", `${FOLDER}/disk.raw`, `${FOLDER}/again.hds`, "--cluster-size", "256K");
parablock("compare", DISK, `${FOLDER}/again.hds`);

step("Drawing the allocation before and after: converting has put it in order");
parablock("map", DISK, "--svg", `${FOLDER}/allocation.svg`);
parablock("map", `${FOLDER}/again.hds`, "--svg", `${FOLDER}/allocation-after.svg`);
say(`  ${FOLDER}/allocation.svg and ${FOLDER}/allocation-after.svg: open them in a browser.`);

step("How fast is it here? (a short run; `npm run bench` measures longer)");
parablock("bench", "--seconds", "4");

say(
  `\nDone in ${((performance.now() - started) / 1000).toFixed(1)} s. The disk, its copies and the pictures are in ${FOLDER}/.`,
);

async function writePattern() {
  const disk = await openFile(DISK);
  for (const { offset, length, seed } of WRITES) await disk.write(pattern(length, seed), offset);
  await disk.flush();
  await disk.close();
}

async function verifyPattern() {
  const disk = await openFile(DISK, { readOnly: true });
  const expected = new Uint8Array(disk.size);
  for (const { offset, length, seed } of WRITES) expected.set(pattern(length, seed), offset);
  const actual = new Uint8Array(MEBIBYTE);
  for (let offset = 0; offset < disk.size; offset += actual.length) {
    await disk.read(actual, offset);
    if (Buffer.compare(actual, expected.subarray(offset, offset + actual.length)) !== 0) {
      throw new Error(`the bytes at ${offset} are not those that were written`);
    }
  }
  await disk.close();
}

/** Bytes that differ from place to place and from seed to seed, none of them zero. */
function pattern(length, seed) {
  return Uint8Array.from({ length }, (_, i) => 1 + ((i * 7 + (i >> 8) * 13 + seed * 101) % 255));
}

function parablock(...args) {
  say(`  $ parablock ${args.join(" ")}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli.cjs", ...args], { encoding: "utf8" });
  const lines = stdout.trimEnd().split("\n");
  const shown = args[0] === "map" ? lines.slice(0, 10) : lines;
  if (stdout !== "") say(shown.map((line) => `  ${line}`).join("\n"));
  if (shown.length < lines.length) say(`  ... and ${lines.length - shown.length} more`);
  if (status === 0) return;
  process.stderr.write(stderr);
  process.exit(1);
}

function step(title) {
  say(`\n> ${title}`);
}

function say(text) {
  console.log(text);
}
