/**
 * What compacting an image in place costs beside making a new one: a copy of its file, made durable, and - where QEMU's
 * tools are installed - `qemu-img convert` into a new image, which nobody makes durable.
 */
import { spawnSync } from "node:child_process";
import { closeSync, copyFileSync, fsyncSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CompactOptions, CompactReport, DiskSync } from "../src/index.js";
import { compare } from "../src/measure/compare.js";
import { createFileSync, openFileSync } from "../src/node.js";
import { findPeers } from "./peers.js";
import type { Question, Row } from "./question.js";

const CLUSTER = 65_536;

interface Layout {
  image: string;
  options: CompactOptions;
  /** What becomes of every fourth cluster. */
  change?: (disk: DiskSync, offset: number) => void;
}

const LAYOUTS: readonly Layout[] = [
  { image: "compact, nothing to gain", options: {} },
  { image: "compact, a quarter given up", options: {}, change: (disk, offset) => disk.discard(offset, CLUSTER) },
  {
    image: "compact, a quarter zeros",
    options: {},
    change: (disk, offset) => disk.write(new Uint8Array(CLUSTER), offset),
  },
  { image: "compact, in no order, guest order asked for", options: { order: true } },
];

const CLUSTERS = 4096;

export const compact: Question = {
  name: "compact",
  title: "Compact: in place and durable, an image of 256 MiB, beside a durable copy of its file and qemu-img convert",
  bound: "the clusters that move, and the flushes between what moves and what is given up.",
  main: ["compact, a quarter given up"],
  async run({ quick, folder }) {
    const found = findPeers(["qemu-img"]);
    const files = {
      original: join(folder, "original.hds"),
      image: join(folder, "image.hds"),
      copy: join(folder, "copy"),
    };
    const options = { rounds: quick ? 3 : 9, qemu: found.skipped.length === 0 };
    return { rows: LAYOUTS.flatMap((layout) => measureLayout(layout, files, options)), ...found };
  },
};

interface Files {
  original: string;
  image: string;
  copy: string;
}

function measureLayout(layout: Layout, files: Files, { rounds, qemu }: { rounds: number; qemu: boolean }): Row[] {
  const { original, image, copy } = files;
  makeImage(original, CLUSTERS, layout);
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
  const row = (against: string, times: readonly number[]): Row => ({
    ...{ what: layout.image, against, ...compare(compacted, times), unit: "ms" },
    ...(note === undefined ? {} : { note }),
  });
  const against = "qemu-img convert, not durable";
  return [row("copy", copied), ...(qemu ? [row(against, converted)] : [])];
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
  const handle = openSync(to, "r+");
  fsyncSync(handle);
  closeSync(handle);
}

function convert(from: string, to: string): void {
  rmSync(to, { force: true });
  const args = ["convert", "-f", "parallels", "-O", "parallels", "-o", `cluster_size=${CLUSTER}`, from, to];
  const { status, stderr } = spawnSync("qemu-img", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`qemu-img convert: ${stderr.trim()}`);
}

function milliseconds(work: () => void): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}
