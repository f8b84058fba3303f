/**
 * Runs in a worker: how quickly a synchronous disk moves bytes in OPFS, beside the same requests made on the access
 * handle that the disk itself uses, which are the ceiling: one file for all, as no two are cached alike. Nothing is
 * flushed.
 */
import { DiskSync } from "../src/disk-sync.js";
import { type IoRow, ioRowOf } from "../src/measure/io-row.js";
import { findSpots, type Spot, walk } from "../src/measure/spots.js";
import { type TurnOptions, takeTurns, type Work } from "../src/measure/turns.js";
import { type Handle, openImage } from "./opfs-image.js";

type Question = Pick<IoRow, "operation" | "pattern">;

const QUESTIONS: Question[] = [
  { operation: "read", pattern: "random" },
  { operation: "read", pattern: "sequential" },
  { operation: "write", pattern: "random" },
  { operation: "write", pattern: "sequential" },
];
const BLOCK_SIZES = { random: 4096, sequential: 2 ** 20 } as const;

/** Measures every question on an image of `size` bytes that is made for it. */
async function measureRows(size: number, options: TurnOptions): Promise<IoRow[]> {
  const { storage, handle } = await openImage("bench.hds", size);
  const wasm = DiskSync.open(storage, { engine: "wasm" });
  // Two disks on one storage are safe here only: all is allocated, and everybody writes the same.
  const js = DiskSync.open(storage, { engine: "js" });
  const rows: IoRow[] = [];
  for (const question of QUESTIONS) rows.push(await measureRow(question, handle, wasm, js, options));
  wasm.close();
  return rows;
}

async function measureRow(
  question: Question,
  handle: Handle,
  wasmDisk: DiskSync,
  jsDisk: DiskSync,
  options: TurnOptions,
): Promise<IoRow> {
  const blockSize = BLOCK_SIZES[question.pattern];
  const spots = findSpots(wasmDisk, blockSize);
  const buffer = new Uint8Array(blockSize).fill(0x5a); // for all: another one lies in other memory, which is quicker or slower
  const works = [
    handleWork(question, handle, spots, buffer),
    diskWork(question, wasmDisk, spots, buffer),
    diskWork(question, jsDisk, spots, buffer),
  ];
  return ioRowOf({ ...question, face: "sync", depth: 1, blockSize }, await takeTurns(works, options));
}

function handleWork({ operation, pattern }: Question, handle: Handle, spots: Spot[], buffer: Uint8Array): Work {
  const next = walk(spots, pattern);
  if (operation === "read") {
    return (count) => {
      for (let i = 0; i < count; i++) handle.read(buffer, { at: next().fileOffset });
    };
  }
  return (count) => {
    for (let i = 0; i < count; i++) handle.write(buffer, { at: next().fileOffset });
  };
}

function diskWork({ operation, pattern }: Question, disk: DiskSync, spots: Spot[], buffer: Uint8Array): Work {
  const next = walk(spots, pattern);
  if (operation === "read") {
    return (count) => {
      for (let i = 0; i < count; i++) disk.read(buffer, next().guestOffset);
    };
  }
  return (count) => {
    for (let i = 0; i < count; i++) disk.write(buffer, next().guestOffset);
  };
}

declare global {
  var benchOpfs: typeof measureRows;
}

globalThis.benchOpfs = measureRows;
