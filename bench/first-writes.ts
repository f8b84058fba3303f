/**
 * First writes, which allocate: whole clusters of 64 KiB, and blocks of 4 KiB in such, in guest order and in random order,
 * each beside the same requests into an image whose clusters have been allocated. That image's blocks are as new to the
 * file system as the other's - one sector of each cluster was written - so that what differs is what Parablock does. What
 * the file system takes for a block's first write shows in the raw file's rows: a first pass beside a second.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { compare } from "../src/measure/compare.js";
import { createFile, createFileSync } from "../src/node.js";
import type { Question, Row } from "./question.js";

const SIZE = 32 * 2 ** 20;
const CLUSTER = 65536;
const IN_FLIGHT = 8;

export const firstWrites: Question = {
  name: "first-writes",
  title: "First writes, which allocate clusters of 64 KiB, beside the same into clusters that are allocated",
  bound: "the file system: it takes twice as long for blocks that are written for the first time.",
  main: [
    "sequential, 64 KiB, sync",
    "random, 64 KiB, sync",
    "sequential, 64 KiB, async x 8",
    "random, 64 KiB, async x 8",
  ],
  async run({ quick, folder }) {
    const rows: Row[] = [];
    for (const face of ["sync", "async"] as const)
      for (const blockSize of [65536, 4096])
        for (const order of ["sequential", "random"] as const)
          rows.push(...(await measure({ folder, face, blockSize, order, rounds: quick ? 3 : 15 })));
    return { rows };
  },
};

interface Shape {
  folder: string;
  face: "sync" | "async";
  blockSize: number;
  order: "sequential" | "random";
  rounds: number;
}

/** Something that bytes are written to. */
interface Target {
  write(bytes: Uint8Array, offset: number): unknown;
  done(): unknown;
}

async function measure(shape: Shape): Promise<Row[]> {
  const [first, allocated, rawFirst, rawSecond]: number[][] = [[], [], [], []];
  const bytes = new Uint8Array(shape.blockSize).fill(0x5a);
  const whole = offsetsOf(shape);
  const passes = {
    async disk() {
      const disk = await openDisk(shape);
      first.push(await pass(shape, disk, bytes, whole));
      await disk.done();
    },
    async allocated() {
      const disk = await openDisk(shape);
      for (let offset = 0; offset < SIZE; offset += CLUSTER) await disk.write(bytes.subarray(0, 512), offset);
      await disk.flush();
      allocated.push(await pass(shape, disk, bytes, whole));
      await disk.done();
    },
    async raw() {
      const file = openRaw(shape);
      rawFirst.push(await pass(shape, file, bytes, whole));
      rawSecond.push(await pass(shape, file, bytes, whole));
      await file.done();
    },
  };
  const names = ["disk", "allocated", "raw"] as const;
  for (let round = 0; round < shape.rounds; round++)
    for (let turn = 0; turn < names.length; turn++) await passes[names[(round + turn) % names.length]]();
  const face = shape.face === "sync" ? "sync" : `async x ${IN_FLIGHT}`;
  const what = `${shape.order}, ${shape.blockSize / 1024} KiB, ${face}`;
  const goal = shape.blockSize === CLUSTER ? { target: 0.85 } : {};
  return [
    { what, against: "allocated clusters", ...compare(first, allocated), unit: "µs", ...goal },
    { what, against: "the raw file's first pass", ...compare(first, rawFirst), unit: "µs" },
    { what: `raw file, ${what}`, against: "its second pass", ...compare(rawFirst, rawSecond), unit: "µs" },
  ];
}

function offsetsOf({ blockSize, order }: Shape): number[] {
  const count = SIZE / blockSize;
  const step = order === "random" ? 6143 : 1; // prime to any power of two
  return Array.from({ length: count }, (_, index) => ((index * step) % count) * blockSize);
}

/** Microseconds a request. */
async function pass({ face }: Shape, { write }: Target, bytes: Uint8Array, offsets: number[]): Promise<number> {
  const start = performance.now();
  let next = 0;
  if (face === "sync") for (const offset of offsets) write(bytes, offset);
  else {
    const lane = async () => {
      while (next < offsets.length) await write(bytes, offsets[next++]);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  }
  return (1000 * (performance.now() - start)) / offsets.length;
}

async function openDisk({ folder, face }: Shape): Promise<Target & { flush(): unknown }> {
  const path = join(folder, "first.hds");
  const options = { size: SIZE + CLUSTER, clusterSize: CLUSTER, replace: true };
  const disk = face === "sync" ? createFileSync(path, options) : await createFile(path, options);
  await disk.write(new Uint8Array(512), SIZE); // the first change marks the disk, and grows the file
  await disk.flush();
  return {
    write: (bytes, offset) => disk.write(bytes, offset),
    flush: () => disk.flush(),
    async done() {
      await disk.abandon();
      fs.rmSync(path);
    },
  };
}

function openRaw({ folder, face }: Shape): Target {
  const path = join(folder, "first.raw");
  const fd = fs.openSync(path, "w+");
  fs.ftruncateSync(fd, SIZE);
  const writeLater = (bytes: Uint8Array, offset: number) =>
    new Promise<void>((resolve, reject) =>
      fs.write(fd, bytes, 0, bytes.length, offset, (error) => (error ? reject(error) : resolve())),
    );
  return {
    write: face === "async" ? writeLater : (bytes, offset) => fs.writeSync(fd, bytes, 0, bytes.length, offset),
    done() {
      fs.closeSync(fd);
      fs.rmSync(path);
    },
  };
}
