/** What a disk costs beside its file: the same requests as the same calls of the file system on the file itself. */
import { benchIo } from "../src/measure/io.js";
import type { IoQuestion, IoRow } from "../src/measure/io-row.js";
import { describeRequest } from "../src/measure/tables.js";
import type { Question, Row } from "./question.js";

export const disk: Question = {
  name: "disk",
  title: "The disk, beside the same calls on the file itself; a file of 64 MiB in the page cache, nothing is flushed",
  bound: "the system's calls and, asynchronous, libuv's threads: the raw file is the ceiling.",
  main: [
    "random read, 4 KiB, sync",
    "random write, 4 KiB, sync",
    "random read, 4 KiB, async x 8",
    "random write, 4 KiB, async x 8",
    "random read, 4 KiB, async x 32",
    "random write, 4 KiB, async x 32",
    "sequential read, 1024 KiB, sync",
    "sequential write, 1024 KiB, sync",
  ],
  async run({ quick, folder }) {
    const rows = await benchIo({ folder, seconds: quick ? 4 : 30, questions: questions(quick) });
    return { rows: rows.map((row) => rowOf(row, "raw file", targetOf(row))) };
  },
};

function questions(quick: boolean): IoQuestion[] {
  const sizes = quick ? [4096] : [4096, 16384, 65536, 262144, 1048576];
  return (["read", "write"] as const).flatMap((operation): IoQuestion[] => [
    ...sizes.flatMap((blockSize): IoQuestion[] => [
      { operation, pattern: "random", face: "sync", depth: 1, blockSize },
      { operation, pattern: "random", face: "async", depth: 8, blockSize },
    ]),
    { operation, pattern: "random", face: "async", depth: 32, blockSize: 4096 },
    { operation, pattern: "sequential", face: "sync", depth: 1, blockSize: 1048576 },
    { operation, pattern: "sequential", face: "async", depth: 8, blockSize: 1048576 },
  ]);
}

function targetOf({ pattern, face, operation, blockSize }: IoRow): number | undefined {
  if (pattern === "sequential") return 0.97;
  if (blockSize !== 4096) return undefined;
  return face === "async" && operation === "write" ? 0.93 : 0.95;
}

/** A disk beside what it stands on. */
export function rowOf(row: IoRow, against: string, target?: number): Row {
  const { wasmToRaw: ratio, spread, wasm: own, raw: other, operation, pattern, face, depth, blockSize } = row;
  const drawn = pattern === "random" && depth <= 8 ? { series: `${face} ${operation}`, at: blockSize } : {};
  const note = `TypeScript ${row.jsToRaw.toFixed(2)}`;
  return {
    what: describeRequest(row),
    against,
    ratio,
    spread,
    own,
    other,
    unit: "µs",
    note,
    ...drawn,
    ...(target && { target }),
  };
}
