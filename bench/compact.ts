/**
 * What compacting an image in place costs beside making a new one: a copy of its file, made durable, and - where QEMU's
 * tools are installed - `qemu-img convert` into a new image, which nobody makes durable.
 */
import { spawnSync } from "node:child_process";
import { closeSync, copyFileSync, fsyncSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CompactOptions, DiskSync } from "../src/index.js";
import { median } from "../src/measure/turns.js";
import { createFileSync, openFileSync } from "../src/node.js";

export interface CompactRow {
  /** What the image is like, and what is asked. */
  image: string;
  /** Bytes of the file before. */
  fileSize: number;
  /** Bytes that were copied within it, and that it lost. */
  moved: number;
  gained: number;
  /** Median milliseconds. */
  compact: number;
  copy: number;
  /** Absent where there is no qemu-img. */
  convert: number | undefined;
}

export interface CompactBenchOptions {
  folder: string;
  rounds: number;
  /** Clusters of 64 KiB. Default: 4096. */
  clusters?: number;
}

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
  { image: "a quarter zeros", options: {}, change: (disk, offset) => disk.write(new Uint8Array(CLUSTER), offset) },
  { image: "in no order, guest order asked for", options: { order: true } },
];

export function benchCompact({ folder, rounds, clusters = 4096 }: CompactBenchOptions): CompactRow[] {
  const [original, image, copy] = ["original.hds", "image.hds", "copy.hds"].map((name) => join(folder, name));
  return LAYOUTS.map((layout) => {
    makeImage(original, clusters, layout);
    let [moved, gained, fileSize] = [0, 0, 0];
    const times = Array.from({ length: rounds }, () => {
      const copied = milliseconds(() => copyDurably(original, copy));
      copyDurably(original, image);
      const compacted = milliseconds(() => {
        const disk = openFileSync(image);
        const report = disk.compact(layout.options);
        disk.close();
        moved = report.movedClusters * CLUSTER;
        fileSize = report.fileSizeBefore;
        gained = fileSize - report.fileSizeAfter;
      });
      return { copied, compacted, converted: convert(original, copy) };
    });
    for (const file of [original, image, copy]) rmSync(file, { force: true });
    const of = (what: "copied" | "compacted") => median(times.map((time) => time[what]));
    const converted = times.flatMap((time) => time.converted ?? []);
    const convertTime = converted.length === 0 ? undefined : median(converted);
    return {
      image: layout.image,
      fileSize,
      moved,
      gained,
      compact: of("compacted"),
      copy: of("copied"),
      convert: convertTime,
    };
  });
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

function convert(from: string, to: string): number | undefined {
  rmSync(to, { force: true });
  const args = ["convert", "-f", "parallels", "-O", "parallels", "-o", `cluster_size=${CLUSTER}`, from, to];
  let failed = false;
  const time = milliseconds(() => {
    failed = spawnSync("qemu-img", args).status !== 0;
  });
  return failed ? undefined : time;
}

function milliseconds(work: () => void): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}
