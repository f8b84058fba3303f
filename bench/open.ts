/** How long it takes to open a disk whose tables are large, beside reading its BAT and nothing else. */
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { DiskSync } from "../src/index.js";
import { compare } from "../src/measure/compare.js";
import { repeated, takeTurns } from "../src/measure/turns.js";
import { FileStorageSync } from "../src/node.js";
import { makeFullImage } from "./full-image.js";
import type { Question, Row } from "./question.js";

const CLUSTERS = 2 ** 22;
const CLUSTER_SIZE = 2 ** 16;

export const open: Question = {
  name: "open",
  title: "Opening: DiskSync on a file of 4 Mi clusters, all allocated, in the page cache",
  bound: "16 MiB of BAT: copied out of the file, looked at for zeros and for runs, and a bit set for each cluster.",
  async run({ folder, quick }) {
    const path = join(folder, "full.hds");
    makeFullImage(path, CLUSTERS, CLUSTER_SIZE);
    const openWith = (engine: "wasm" | "js") =>
      repeated(() => DiskSync.open(FileStorageSync.open(path), { engine }).close());
    const works = [openWith("wasm"), openWith("js"), repeated(() => readBat(path))];
    const [wasm, js, read] = await takeTurns(works, { rounds: quick ? 3 : 15, milliseconds: 50 });
    const row = (what: string, own: number[]): Row => ({
      ...{ what, against: "read of the BAT", ...compare(own, read, 1 / 1000), unit: "ms" },
    });
    return { rows: [row("open and close, WebAssembly", wasm), row("open and close, TypeScript", js)] };
  },
};

/** Into memory that is new each time, as a disk's is. */
function readBat(path: string): void {
  const file = openSync(path, "r");
  readSync(file, new Uint8Array(4 * CLUSTERS), 0, 4 * CLUSTERS, 64);
  closeSync(file);
}
