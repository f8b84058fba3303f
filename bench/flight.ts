/**
 * Requests in flight: what one costs where 1024 are queued, beside 8, over a file and over a storage that answers in the
 * next turn of the event loop. No two of them overlap, and each lies in a cluster that others use, too. And what 0.1 µs more
 * of the main thread's time does to bare reads of a file, whatever it is spent on.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { Disk, MemoryStorage, type Storage } from "../src/index.js";
import { compare } from "../src/measure/compare.js";
import { inFlight, takeTurns, type Work } from "../src/measure/turns.js";
import { createFile } from "../src/node.js";
import type { Question, Row } from "./question.js";

const SIZE = 64 * 2 ** 20;
const BLOCK = 4096;
const BLOCKS = SIZE / BLOCK;
const [FEW, MANY] = [8, 1024];

export const flight: Question = {
  name: "flight",
  title: `Requests of 4 KiB in flight, none of which overlap: ${MANY} queued, beside ${FEW}; a disk of 64 MiB`,
  bound: "libuv's threads, or the event loop: a request's lock is looked up in a tree.",
  main: ["read over a file", "write over a file"],
  async run({ quick, folder }) {
    const rows: Row[] = [];
    for (const [over, storage] of [
      ["a file", undefined],
      ["a storage that answers in the next turn", new NextTurn()],
    ] as const) {
      const disk = await makeDisk(storage, folder);
      for (const verb of ["read", "write"] as const) rows.push(await measure(disk, verb, over, quick));
      await disk.close();
    }
    for (const depth of [8, 32]) rows.push(await measureBusy(join(folder, "flight.hds"), depth, quick));
    return { rows };
  },
};

async function makeDisk(storage: Storage | undefined, folder: string): Promise<Disk> {
  const options = { size: SIZE, clusterSize: 65536 };
  const disk = storage
    ? await Disk.create(storage, options)
    : await createFile(join(folder, "flight.hds"), { ...options, replace: true });
  const block = new Uint8Array(2 ** 20).fill(0x5a);
  for (let offset = 0; offset < SIZE; offset += block.length) await disk.write(block, offset);
  await disk.flush();
  return disk;
}

async function measure(disk: Disk, verb: "read" | "write", over: string, quick: boolean): Promise<Row> {
  const works = [MANY, FEW].map((depth) => queued((buffer, offset) => disk[verb](buffer, offset), depth));
  const [many, few] = await takeTurns(works, { rounds: quick ? 5 : 21, milliseconds: quick ? 30 : 100 });
  const figures = compare(many, few);
  return { what: `${verb} over ${over}`, against: `${FEW} in flight`, ...figures, unit: "µs", target: 0.8 };
}

/** Bare reads, each begun after a tenth of a microsecond of arithmetic, beside the same without it. */
async function measureBusy(path: string, depth: number, quick: boolean): Promise<Row> {
  const fd = fs.openSync(path, "r");
  const read = (buffer: Uint8Array, offset: number) =>
    new Promise<void>((resolve, reject) => {
      fs.read(fd, buffer, 0, buffer.length, offset, (error) => (error ? reject(error) : resolve()));
    });
  const steps = stepsIn(0.1);
  const busy = (buffer: Uint8Array, offset: number) => {
    spend(steps);
    return read(buffer, offset);
  };
  const works = [busy, read].map((move) => queued(move, depth));
  const [own, other] = await takeTurns(works, { rounds: quick ? 5 : 21, milliseconds: quick ? 30 : 100 });
  fs.closeSync(fd);
  const what = `raw read after 0.1 µs of arithmetic, ${depth} in flight`;
  return { what, against: "raw read", ...compare(own, other), unit: "µs" };
}

let sum = 0;

function spend(steps: number): void {
  for (let step = 0; step < steps; step++) sum = (sum + step) | 0;
}

/** How many steps take so many microseconds. */
function stepsIn(microseconds: number): number {
  const STEPS = 1e7;
  spend(STEPS);
  const start = performance.now();
  spend(STEPS);
  return Math.round((STEPS * microseconds) / (1000 * (performance.now() - start)));
}

/** Keeps so many requests in flight, all over the disk: of neighbouring numbers no two lie near each other. */
function queued(move: (buffer: Uint8Array, offset: number) => Promise<void>, depth: number): Work {
  const buffers = Array.from({ length: depth }, () => new Uint8Array(BLOCK).fill(0x5a));
  let at = 0;
  return inFlight(buffers, (buffer) => move(buffer, ((at++ * 4099) % BLOCKS) * BLOCK));
}

/** Memory that answers all that was asked in one turn of the event loop at its end. */
class NextTurn extends MemoryStorage {
  #turn: Promise<void> | undefined;

  override read(buffer: Uint8Array, offset: number): number {
    return this.#later(() => super.read(buffer, offset)) as never;
  }

  override write(buffer: Uint8Array, offset: number): number {
    return this.#later(() => super.write(buffer, offset)) as never;
  }

  #later(move: () => number): Promise<number> {
    this.#turn ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#turn = undefined;
    });
    return this.#turn.then(move);
  }
}
