/**
 * What compacting an image in place costs beside making a new one: a copy of its file, made durable, and - where QEMU's
 * tools are installed - `qemu-img convert` into a new image, made durable, too.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CompactOptions, CompactReport, DiskSync } from "../src/index.js";
import { compare } from "../src/measure/compare.js";
import { createFileSync, openFileSync } from "../src/node.js";
import { findPeers } from "./peers.js";
import { makeDurable } from "./processes.js";
import type { Question, Row } from "./question.js";

const CLUSTER = 65_536;

interface Layout {
  image: string;
  options: CompactOptions;
  /** What becomes of every fourth cluster. */
  change?: (disk: DiskSync, offset: number) => void;
}

const LAYOUTS: readonly Layout[] = [
  { image: "nothing to gain", options: {} },
  { image: "a quarter given up", options: {}, change: (disk, offset) => disk.discard(offset, CLUSTER) },
  {
    image: "a quarter zeros",
    options: {},
    change: (disk, offset) => disk.write(new Uint8Array(CLUSTER), offset),
  },
  { image: "in no order, guest order asked for", options: { order: true } },
];

export const compact: Question = {
  name: "compact",
  title: "Compact: in place and durable, beside a durable copy of the file and qemu-img convert, made durable",
  bound: "the clusters that move, and the flushes between what moves and what is given up.",
  main: ["compact 256 MiB, a quarter given up"],
  async run({ quick, folder }) {
    const found = findPeers(["qemu-img"]);
    const files = {
      original: join(folder, "original.hds"),
      image: join(folder, "image.hds"),
      copy: join(folder, "copy"),
    };
    const options = { clusters: quick ? 1024 : 4096, rounds: quick ? 3 : 7, qemu: found.skipped.length === 0 };
    return { rows: LAYOUTS.flatMap((layout) => measureLayout(layout, files, options)), ...found };
  },
};

interface Files {
  original: string;
  image: string;
  copy: string;
}

interface Options {
  clusters: number;
  rounds: number;
  qemu: boolean;
}

function measureLayout(layout: Layout, files: Files, { clusters, rounds, qemu }: Options): Row[] {
  const { original, image, copy } = files;
  makeImage(original, clusters, layout);
  let report: CompactReport | undefined;
  const [compacted, copied, converted]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    copied.push(milliseconds(() => copyDurably(original, copy)));
    copyDurably(original, image);
    compacted.push(
      milliseconds(() => {
        const disk = openFileSync(image);
        report = disk.compact(layout.options);
        disk.close();
      }),
    );
    if (qemu) converted.push(milliseconds(() => convert(original, copy)));
  }
  for (const file of Object.values(files)) rmSync(file, { force: true });
  const note = report && noteOf(report);
  const what = `compact ${(clusters * CLUSTER) / 2 ** 20} MiB, ${layout.image}`;
  const row = (against: string, times: readonly number[]): Row => ({
    ...{ what, against, ...compare(compacted, times), unit: "ms" },
    ...(note === undefined ? {} : { note }),
  });
  return [row("copy", copied), ...(qemu ? [row("qemu-img convert", converted)] : [])];
}

function noteOf({ movedClusters, fileSizeBefore, fileSizeAfter }: CompactReport): string {
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  return `${mebibytes(movedClusters * CLUSTER)} moved, ${mebibytes(fileSizeBefore - fileSizeAfter)} gained`;
}

/** Its clusters are written in an order that any generator makes of them. */
function makeImage(file: string, clusters: number, { change }: Layout): void {
  rmSync(file, { force: true });
  const disk = createFileSync(file, { size: clusters * CLUSTER, clusterSize: CLUSTER });
  const bytes = new Uint8Array(CLUSTER);
  const offsetOf = (index: number) => ((index * 1_103) % clusters) * CLUSTER; // 1103 and 2^n have no common factor
  for (let index = 0; index < clusters; index++) disk.write(bytes.fill(1 + (index % 255)), offsetOf(index));
  disk.flush();
  if (change) for (let index = 0; index < clusters; index += 4) change(disk, offsetOf(index));
  disk.close();
}

function copyDurably(from: string, to: string): void {
  copyFileSync(from, to);
  makeDurable(to);
}

function convert(from: string, to: string): void {
  rmSync(to, { force: true });
  const args = ["convert", "-f", "parallels", "-O", "parallels", "-o", `cluster_size=${CLUSTER}`, from, to];
  const { status, stderr } = spawnSync("qemu-img", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`qemu-img convert: ${stderr.trim()}`);
  makeDurable(to);
}

function milliseconds(work: () => void): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}
