/**
 * Converting: whole processes, whose output is durable when they end. `qemu-img convert -t writeback` flushes at its end
 * as ours does; a copy of the input's bytes by `cp`, with an fsync, is about as fast as this disk can take them.
 */
import { spawnSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { compare } from "../src/measure/compare.js";
import { formatSize } from "../src/show/units.js";
import { findPeers } from "./peers.js";
import { less, NODE, parablock, type Timed, takeProcessTurns } from "./processes.js";
import type { Question, Row } from "./question.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** A disk: every `every` bytes come `data` random ones, the rest is a hole. */
interface Content {
  name: string;
  size: number;
  data: number;
  every: number;
  rounds: number;
  targets: { toImage?: number; toRaw?: number };
  /** Its place in the chart. */
  at?: number | undefined;
}

const random = (size: number, rounds: number, target?: number): Content => ({
  ...{ name: `random, ${formatSize(size)}`, size, data: MIB, every: MIB, rounds, at: size },
  targets: target === undefined ? {} : { toImage: target, toRaw: target },
});

const halfZeros = (size: number, rounds: number, target?: number): Content => ({
  ...random(size, rounds, target),
  ...{ name: `half zeros, ${formatSize(size)}`, every: 2 * MIB, at: undefined },
});

const SPARSE: Content = {
  ...{ name: "1 % data, 2 GiB", size: 2 * GIB, data: 64 * KIB, every: 6400 * KIB, rounds: 15 },
  targets: { toImage: 0.5 },
};

const CONTENTS = [random(16 * MIB, 15), random(64 * MIB, 11), random(256 * MIB, 11, 1), random(GIB, 5)];

export const convert: Question = {
  name: "convert",
  title: "Convert: whole processes, durable, beside qemu-img convert -t writeback and cp with an fsync",
  bound:
    "what the page cache takes and the disk drains, one thread's copy of each byte in and one out; below 64 MiB Node's own start.",
  main: ["random, 256 MiB: raw to hds", "random, 256 MiB: hds to raw"],
  async run({ quick, folder }) {
    const found = findPeers(["qemu-img"]);
    const contents = quick
      ? [random(64 * MIB, 3), halfZeros(256 * MIB, 3), { ...SPARSE, rounds: 3 }]
      : [...CONTENTS, halfZeros(4 * GIB, 5, 1.1), SPARSE];
    return { rows: contents.flatMap((content) => measure(content, folder, found.skipped.length === 0)), ...found };
  },
};

function measure(content: Content, folder: string, qemu: boolean): Row[] {
  const [raw, image, out] = ["in.raw", "in.hds", "out"].map((name) => join(folder, name));
  makeRaw(raw, content);
  run(parablock("convert", raw, image, "--force"));
  const after = () => rmSync(out, { force: true });
  const timed = (command: readonly string[], more: Partial<Timed> = {}): Timed => ({
    ...{ command, before: settle, after, ...more },
  });
  const [toImage, toRaw, copied, node, qemuToImage, qemuToRaw] = takeProcessTurns(
    [
      timed(parablock("convert", "--to", "parallels", raw, out)),
      timed(parablock("convert", "--to", "raw", image, out)),
      timed(["cp", "--sparse=auto", raw, out], { durable: out }),
      NODE,
      ...(qemu
        ? [timed(qemuConvert("raw", raw, "parallels", out)), timed(qemuConvert("parallels", image, "raw", out))]
        : []),
    ],
    content.rounds,
  );
  for (const path of [raw, image]) rmSync(path);
  const row = (way: string, against: string, own: readonly number[], other: readonly number[]): Row => ({
    ...{ what: `${content.name}: ${way}`, against, ...compare(own, other), unit: "ms" },
  });
  const peer = (way: string, own: readonly number[], other: readonly number[], target?: number): Row => ({
    ...row(way, "qemu-img", own, other),
    ...(target === undefined ? {} : { target }),
    ...(content.at === undefined ? {} : { series: way, at: content.at }),
    note: `less Node's own start ${compare(less(own, node), other).ratio.toFixed(2)}`,
  });
  const { targets } = content;
  return [
    ...(qemu
      ? [peer("raw to hds", toImage, qemuToImage, targets.toImage), peer("hds to raw", toRaw, qemuToRaw, targets.toRaw)]
      : []),
    row("raw to hds", "cp, with an fsync", toImage, copied),
    row("hds to raw", "cp, with an fsync", toRaw, copied),
    row("raw to hds", "node -e 0", toImage, node),
  ];
}

/** The disk has nothing left to do for the process before, whose output was removed: it may be trimming that. */
const settle = () => run(["sync"]);

const qemuConvert = (from: string, input: string, to: string, out: string): string[] => [
  ...["qemu-img", "convert", "-t", "writeback"],
  ...["-f", from, "-O", to, input, out],
];

/** Random bytes, of which no block is zero or compresses. */
function makeRaw(path: string, { size, data, every }: Content): void {
  const bytes = randomFillSync(new Uint8Array(data));
  const file = openSync(path, "w");
  ftruncateSync(file, size);
  for (let offset = 0; offset < size; offset += every) writeSync(file, bytes, 0, Math.min(data, size - offset), offset);
  closeSync(file);
}

function run([program, ...args]: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
}
