/**
 * What an open disk takes: processes that open one, and say how much more is resident than before. That memory is of two
 * kinds: what the process alone has (anonymous), and pages of files that it has touched, nearly all of them Node's own
 * code, such as its compilers', which the system has once for all processes.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { median } from "../src/measure/compare.js";
import { makeFullImage } from "./full-image.js";
import { once, type Question, type Row } from "./question.js";

const CLUSTERS = 2 ** 22;
const BOUND = 24 * 2 ** 20;

type Case = [what: string, face: "Disk" | "DiskSync", engine: "wasm" | "js", checked: boolean];

const CASES: readonly Case[] = [
  ["Disk, WebAssembly", "Disk", "wasm", false],
  ["Disk, TypeScript", "Disk", "js", false],
  ["DiskSync, WebAssembly", "DiskSync", "wasm", false],
  ["DiskSync, TypeScript", "DiskSync", "js", false],
  ["Disk, WebAssembly, checked", "Disk", "wasm", true],
  ["DiskSync, TypeScript, checked", "DiskSync", "js", true],
];

/** Bytes. */
interface Growth {
  own: number;
  files: number;
}

export const memory: Question = {
  name: "memory",
  title:
    "Memory: what a process takes more when it has opened a disk of 4 Mi clusters, all allocated; the system's count",
  bound: "the BAT, 16 MiB, and the bitmap of used clusters, 0.5 MiB; then what was read into and is not collected yet.",
  async run({ folder, quick }) {
    if (!existsSync("/proc/self/status")) return { rows: [], skipped: ["/proc/self/status, of Linux"] };
    const path = join(folder, "full.hds");
    makeFullImage(path, CLUSTERS, 2 ** 16);
    return { rows: CASES.map((asked) => rowOf(asked, path, quick ? 1 : 5)) };
  },
};

function rowOf([what, face, engine, checked]: Case, path: string, rounds: number): Row {
  const grown = Array.from({ length: rounds }, () => growthOf(path, face, engine, checked));
  const own = median(grown.map((growth) => growth.own));
  const files = median(grown.map((growth) => growth.files));
  return {
    ...{ what, against: "bound", ratio: BOUND / own, spread: once(BOUND / own), target: 1 },
    ...{ own: own / 2 ** 20, other: BOUND / 2 ** 20, unit: "MiB" },
    note: `and ${(files / 2 ** 20).toFixed(1)} MiB of Node's code and other files`,
  };
}

function growthOf(path: string, face: string, engine: string, checked: boolean): Growth {
  const library = new URL("../dist/node.js", import.meta.url).href;
  const program = `
    import { readFileSync } from "node:fs";
    import * as library from ${JSON.stringify(library)};
    const resident = () => {
      const status = readFileSync("/proc/self/status", "utf8");
      const [own, files] = ["RssAnon", "RssFile"].map((field) => 1024 * new RegExp(field + ":\\\\s+(\\\\d+)").exec(status)[1]);
      return { own, files };
    };
    resident();
    const before = resident();
    const open = ${face === "Disk" ? "library.openFile" : "library.openFileSync"};
    const disk = await open(${JSON.stringify(path)}, { engine: ${JSON.stringify(engine)} });
    if (${checked}) await disk.check();
    const after = resident();
    console.log(JSON.stringify({ own: after.own - before.own, files: after.files - before.files }));
    await disk.close();`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`opening a disk in a process of its own: ${stderr.trim()}`);
  return JSON.parse(stdout);
}
