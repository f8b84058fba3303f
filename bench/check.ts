/**
 * Check and map of large tables: whole processes on images of up to 16 Mi clusters, all in use, whose data are holes. The
 * peer's check looks for less: it does not look for clusters that two entries use.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compare, median } from "../src/measure/compare.js";
import { makeFullImage } from "./full-image.js";
import { findPeers } from "./peers.js";
import { less, NODE, parablock, takeProcessTurns } from "./processes.js";
import { once, type Question, type Row } from "./question.js";

const KI = 1024;
const MI = KI * KI;
const MIB = 2 ** 20;
const CLUSTER_SIZE = 4096;

/** Clusters that lie one behind the other in the file, before the next run lies somewhere else. */
const ORDERS = { "in order": Number.POSITIVE_INFINITY, "runs of 8": 8, random: 1 } as const;
type Order = keyof typeof ORDERS;

export const check: Question = {
  name: "check",
  title: "Check and map: tables of up to 16 Mi clusters, whole processes, beside qemu-img",
  bound:
    "the start of the command, then memory that the BAT is read into for the first time; in random order a bit somewhere in the bitmap for each entry, of a map the digits of each line.",
  main: ["check, in order, 4 Mi", "check, random, 4 Mi", "map --json, random, 4 Mi"],
  async run({ quick, folder }) {
    const found = findPeers(["qemu-img"]);
    const hasPeer = found.skipped.length === 0;
    const sizes = quick ? [MI] : [64 * KI, MI, 4 * MI, 16 * MI];
    const measured = (Object.keys(ORDERS) as Order[]).flatMap((order) =>
      sizes.map((clusters) => measureCheck(join(folder, "table.hds"), order, clusters, quick ? 3 : 11, hasPeer)),
    );
    const maps = measureMap(folder, quick ? MI / 4 : 4 * MI, quick ? 1 : 3, hasPeer);
    return { rows: [...measured.flatMap(({ rows }) => rows), ...linear(measured), ...maps], ...found };
  },
};

interface Measured {
  order: Order;
  clusters: number;
  /** Of our own, beyond Node's start, in ms. */
  time: number;
  rows: Row[];
}

const nameOf = (clusters: number): string => (clusters < MI ? `${clusters / KI} Ki` : `${clusters / MI} Mi`);

function measureCheck(path: string, order: Order, clusters: number, rounds: number, hasPeer: boolean): Measured {
  makeTable(path, clusters, order);
  const peer = hasPeer ? [{ command: ["qemu-img", "check", "-f", "parallels", path] }] : [];
  const [node, own, other] = takeProcessTurns([NODE, { command: parablock("check", path) }, ...peer], rounds);
  rmSync(path);
  const times = less(own, node);
  const row: Row[] = hasPeer
    ? [
        {
          ...{ what: `check, ${order}, ${nameOf(clusters)}`, against: "qemu-img", unit: "ms" },
          ...compare(times, other),
          ...(clusters === 4 * MI ? { target: 1 } : {}),
          ...{ series: order, at: clusters, note: `with Node's start ${compare(own, other).ratio.toFixed(2)}` },
        },
      ]
    : [];
  return { order, clusters, time: median(times), rows: row };
}

/** Four times as many clusters in four times the time. */
function linear(measured: readonly Measured[]): Row[] {
  return measured.flatMap(({ order, clusters, time }) => {
    const smaller = measured.find((one) => one.order === order && one.clusters === 4 * MI);
    if (clusters !== 16 * MI || smaller === undefined) return [];
    const ratio = (4 * smaller.time) / time;
    return {
      ...{ what: `check, ${order}, 16 Mi`, against: "four times 4 Mi", unit: "ms", target: 0.9 },
      ...{ ratio, spread: once(ratio), own: time, other: 4 * smaller.time },
    };
  });
}

function measureMap(folder: string, clusters: number, rounds: number, hasPeer: boolean): Row[] {
  const path = join(folder, "table.hds");
  makeTable(path, clusters, "random");
  const what = `map --json, random, ${nameOf(clusters)}`;
  const command = parablock("map", "--json", path);
  const bytes = peakOf(folder, command);
  const rows: Row[] = [
    {
      ...{ what, against: "256 MiB of memory", unit: "MiB" },
      ...{ ratio: (256 * MIB) / bytes, spread: once((256 * MIB) / bytes), own: bytes / MIB, other: 256, target: 1 },
    },
  ];
  if (hasPeer) {
    const peer = ["qemu-img", "map", "--output=json", "-f", "parallels", path];
    const [own, other] = takeProcessTurns([{ command }, { command: peer }], rounds);
    rows.unshift({ ...{ what, against: "qemu-img", unit: "s", target: 2 }, ...compare(own, other, 1e-3) });
  }
  rmSync(path);
  return rows;
}

/** The most memory that a Node process had, in bytes: it says so itself when it ends. */
function peakOf(folder: string, [node, ...rest]: string[]): number {
  const [hook, report] = [join(folder, "peak.cjs"), join(folder, "peak.txt")];
  const tell = `require("fs").writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS))`;
  writeFileSync(hook, `process.on("exit", () => ${tell});`);
  takeProcessTurns([{ command: [node, "--require", hook, ...rest] }], 0);
  return Number(readFileSync(report, "utf8")) * KI;
}

/** An image with every cluster in use, in runs of an order. */
function makeTable(path: string, clusters: number, order: Order): void {
  const length = Math.min(ORDERS[order], clusters);
  const runs = shuffled(clusters / length);
  const hostOf = (cluster: number) => runs[Math.floor(cluster / length)] * length + (cluster % length);
  makeFullImage(path, clusters, CLUSTER_SIZE, hostOf);
}

/** The numbers below `count`, in an order that is the same each time. */
function shuffled(count: number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  let seed = 1;
  for (let last = count - 1; last > 0; last--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((seed / 2 ** 32) * (last + 1));
    [numbers[last], numbers[other]] = [numbers[other], numbers[last]];
  }
  return numbers;
}
