/** What a disk costs beside its file: the same requests as the same calls of the file system on the file itself. */
import { benchIo } from "../src/measure/io.js";
import type { IoRow } from "../src/measure/io-row.js";
import { describeRequest } from "../src/measure/tables.js";
import type { Question, Row } from "./question.js";

export const disk: Question = {
  name: "disk",
  title: "The disk, beside the same calls on the file itself; files of 64 MiB in the page cache, nothing is flushed",
  bound: "the system's calls and, asynchronous, libuv's threads: the raw file is the ceiling.",
  main: [
    "random read, 4 KiB, sync",
    "random write, 4 KiB, sync",
    "random read, 4 KiB, async x 8",
    "random write, 4 KiB, async x 8",
    "sequential read, 1024 KiB, sync",
  ],
  async run({ quick, folder }) {
    return { rows: (await benchIo({ folder, seconds: quick ? 3 : 15 })).map((row) => rowOf(row, "raw file")) };
  },
};

/** A disk beside what it stands on. */
export function rowOf(row: IoRow, against: string): Row {
  const { wasmToRaw: ratio, spread, wasm: own, raw: other, operation, pattern, face, blockSize } = row;
  const drawn = pattern === "random" ? { series: `${face} ${operation}`, at: blockSize } : {};
  const note = `TypeScript ${row.jsToRaw.toFixed(2)}`;
  return { what: describeRequest(row), against, ratio, spread, own, other, unit: "µs", note, ...drawn };
}
