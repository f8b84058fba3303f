/**
 * How quickly a disk moves bytes: sequential and random, reading and writing, both faces, both engines, beside the
 * same file-system calls on the file itself, which are the ceiling. The file is in the page cache, so what shows is
 * what Parablock adds. `npm run bench` and `parablock bench` both use this.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { Disk } from "../disk.js";
import { DiskSync } from "../disk-sync.js";
import type { EngineKind } from "../engine/engine.js";
import { createFileSync, FileStorage, FileStorageSync, openFileSync } from "../node.js";
import { type IoQuestion, type IoRow, ioRowOf } from "./io-row.js";
import { findSpots, type Spot, walk } from "./spots.js";
import { inFlight, type TurnOptions, takeTurns, type Work } from "./turns.js";

export interface IoOptions {
  /** An image to read from; it is not changed. Default: one of the benchmark's own, which is written, too. */
  path?: string | undefined;
  /** Where the own image is made; it stays there. */
  folder: string;
  /** About how long all of it takes. */
  seconds: number;
  /** Size of the own image, in bytes. Default: 64 MiB. */
  size?: number;
  /** What is asked; default: small random and large sequential requests, in both faces. */
  questions?: readonly IoQuestion[];
  /** Is told of finished rows. */
  onRow?: (done: number, total: number) => void;
}

const ROUNDS = 21;
const BLOCK_SIZES = { random: 4096, sequential: 1024 * 1024 } as const;
/** Requests in flight, by face. */
const DEPTHS = { sync: 1, async: 8 } as const;
const VARIANTS = ["raw", "wasm", "js"] as const;

/** Moves one block between a buffer and a spot. */
type Move = (buffer: Uint8Array, spot: Spot) => void | Promise<void>;

interface Mover {
  move: Move;
  close(): void | Promise<void>;
}

/** Measures what is asked. @throws Error if nothing in `path` is allocated; DiskError as opening does */
export async function benchIo(options: IoOptions): Promise<IoRow[]> {
  const { path, folder, seconds, size = 64 * 2 ** 20, questions = defaultQuestions(), onRow } = options;
  const file = path ?? makeFile(folder, size);
  const spots = new Map(questions.map(({ blockSize }) => [blockSize, spotsOf(file, blockSize)]));
  const spotsFor = ({ blockSize }: IoQuestion) => spots.get(blockSize) ?? [];
  const writable = path === undefined;
  const asked = questions.filter((each) => spotsFor(each).length > 0 && (writable || each.operation === "read"));
  if (asked.length === 0) throw new Error(`${path}: nothing is allocated, so there is nothing to read`);
  const milliseconds = (1000 * seconds) / (asked.length * VARIANTS.length * (ROUNDS + 2));
  const rows: IoRow[] = [];
  for (const question of asked) {
    rows.push(await measureRow(question, file, spotsFor(question), { rounds: ROUNDS, milliseconds }));
    onRow?.(rows.length, asked.length);
  }
  return rows;
}

function defaultQuestions(): IoQuestion[] {
  return (["read", "write"] as const).flatMap((operation) =>
    (["random", "sequential"] as const).flatMap((pattern) =>
      (["sync", "async"] as const).map((face) => {
        return { operation, pattern, face, blockSize: BLOCK_SIZES[pattern], depth: DEPTHS[face] };
      }),
    ),
  );
}

/** All move bytes of one file through the same buffers: in other pages of memory large requests take up to twice as long. */
async function measureRow(question: IoQuestion, file: string, spots: Spot[], options: TurnOptions): Promise<IoRow> {
  const buffers = Array.from({ length: question.depth }, () => new Uint8Array(question.blockSize).fill(0x5a));
  const movers: Mover[] = [];
  try {
    for (const variant of VARIANTS) movers.push(await openMover(variant, file, question));
    const works = movers.map(({ move }) => workOf(question, move, walk(spots, question.pattern), buffers));
    return ioRowOf(question, await takeTurns(works, options));
  } finally {
    for (const mover of movers) await mover.close();
  }
}

function openMover(variant: (typeof VARIANTS)[number], path: string, question: IoQuestion): Mover | Promise<Mover> {
  if (variant === "raw") return openRaw(path, question);
  return question.face === "sync" ? openSync(path, variant, question) : openAsync(path, variant, question);
}

function openRaw(path: string, { operation, face }: IoQuestion): Mover {
  const reading = operation === "read";
  const fd = fs.openSync(path, reading ? "r" : "r+");
  const close = () => fs.closeSync(fd);
  const moveSync: Move = reading
    ? (buffer, { fileOffset }) => void fs.readSync(fd, buffer, 0, buffer.length, fileOffset)
    : (buffer, { fileOffset }) => void fs.writeSync(fd, buffer, 0, buffer.length, fileOffset);
  if (face === "sync") return { move: moveSync, close };
  const move: Move = (buffer, { fileOffset }) =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null) => (error ? reject(error) : resolve());
      if (reading) fs.read(fd, buffer, 0, buffer.length, fileOffset, done);
      else fs.write(fd, buffer, 0, buffer.length, fileOffset, done);
    });
  return { move, close };
}

function openSync(path: string, engine: EngineKind, { operation }: IoQuestion): Mover {
  const disk = DiskSync.open(FileStorageSync.open(path, accessOf(operation)), {
    engine,
    readOnly: operation === "read",
  });
  const move: Move =
    operation === "read"
      ? (buffer, { guestOffset }) => disk.read(buffer, guestOffset)
      : (buffer, { guestOffset }) => disk.write(buffer, guestOffset);
  return { move, close: () => disk.close() };
}

async function openAsync(path: string, engine: EngineKind, { operation }: IoQuestion): Promise<Mover> {
  const storage = await FileStorage.open(path, accessOf(operation));
  const disk = await Disk.open(storage, { engine, readOnly: operation === "read" });
  const move: Move =
    operation === "read"
      ? (buffer, { guestOffset }) => disk.read(buffer, guestOffset)
      : (buffer, { guestOffset }) => disk.write(buffer, guestOffset);
  return { move, close: () => disk.close() };
}

function workOf({ face }: IoQuestion, move: Move, next: () => Spot, buffers: readonly Uint8Array[]): Work {
  if (face === "async") return inFlight(buffers, (buffer) => move(buffer, next()));
  return (count) => {
    for (let i = 0; i < count; i++) move(buffers[0], next());
  };
}

/** Two disks write the own image at once: in place, where it is allocated already, so that none of them is in the other's way. */
const accessOf = (operation: IoQuestion["operation"]) =>
  operation === "read" ? { readOnly: true } : { private: true };

function makeFile(folder: string, size: number): string {
  const path = join(folder, "bench.hds");
  const disk = createFileSync(path, { size, replace: true });
  const block = new Uint8Array(2 ** 20).fill(0x5a);
  for (let offset = 0; offset < size; offset += block.length) disk.write(block, offset);
  disk.close();
  return path;
}

function spotsOf(path: string, blockSize: number): Spot[] {
  const disk = openFileSync(path, { readOnly: true });
  try {
    return findSpots(disk, blockSize);
  } finally {
    disk.close();
  }
}
