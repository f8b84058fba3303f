/**
 * What it costs to keep a guest's writes in order (docs/safety.md, "When the process alone dies"): what a Linux guest
 * wrote, as it was recorded, and random writes all over a disk, with the flushes that a drive of v86 makes, beside the same
 * where what is written and flushed for the order's sake alone is left out.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DiskSync, MemoryStorage } from "../src/index.js";
import { compare } from "../src/measure/compare.js";
import { type FileOptions, FileStorageSync } from "../src/node.js";
import type { Question, Row } from "./question.js";

/** Offset and length of a write in bytes; a length of 0 is a flush. */
type Request = readonly [offset: number, length: number];

interface Guest {
  name: string;
  size: number;
  requests: readonly Request[];
  /** How often it is played in a row: what is flushed takes now more, now less time. */
  times: number;
}

export const order: Question = {
  name: "order",
  title: "The order of writes, beside the same writes and flushes without what is done for it; synchronous face",
  bound: "flushes of the medium, and entries of the BAT that are written between the guest's flushes.",
  main: ["a Linux guest, as recorded, over a base, clusters of 64 KiB"],
  async run({ quick, folder }) {
    const rounds = quick ? 3 : 7;
    const rows: Row[] = [];
    const guests = quick ? [recordedGuest(2), randomGuest(4000)] : [recordedGuest(8), randomGuest(10_000)];
    for (const guest of guests)
      for (const beneath of ["nothing", "a base"] as const)
        for (const clusterSize of quick ? [2 ** 16] : [2 ** 20, 2 ** 16])
          rows.push(measureRow(guest, beneath, clusterSize, { rounds, file: join(folder, "order.hds") }));
    return { rows };
  },
};

/** What lies beneath the disk. */
type Beneath = "nothing" | "a base";

function measureRow(
  guest: Guest,
  beneath: Beneath,
  clusterSize: number,
  { rounds, file }: { rounds: number; file: string },
): Row {
  const play = (Storage: typeof FileStorageSync) => {
    let milliseconds = 0;
    for (let time = 0; time < guest.times; time++)
      milliseconds += playOnce(guest, beneath, clusterSize, Storage.open(file, { create: "new" }));
    return milliseconds / guest.times;
  };
  const times: [ordered: number[], unordered: number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0 ? play(FileStorageSync) : undefined;
    times[1].push(play(UnorderedStorage));
    times[0].push(first ?? play(FileStorageSync));
  }
  const what = `${guest.name}, over ${beneath}, clusters of ${clusterSize / 1024} KiB`;
  return { what, against: "without the order", ...compare(...times), unit: "ms" };
}

function recordedGuest(times: number): Guest {
  const { size, requests } = JSON.parse(readFileSync(new URL("../bench/guest-writes.json", import.meta.url), "utf8"));
  return { name: "a Linux guest, as recorded", size, requests, times };
}

/** Blocks of 4 KiB anywhere on the disk, so that new clusters and old ones are written in turn: the worst case. */
function randomGuest(count: number): Guest {
  const size = 2 ** 28;
  let state = 1;
  const requests = Array.from({ length: count }, (_, index): Request => {
    state = (state * 48_271) % 0x7fffffff;
    return index % 2000 === 1999 ? [0, 0] : [4096 * (state % (size / 4096)), 4096];
  });
  return { name: "4 KiB at random", size, requests, times: 1 };
}

const BYTES = new Uint8Array(2 ** 22).fill(0x5a);
const BASES = new Map<number, MemoryStorage>();

function playOnce({ size, requests }: Guest, beneath: Beneath, clusterSize: number, storage: FileStorageSync): number {
  const base = beneath === "nothing" ? {} : { base: baseOf(size) };
  const disk = DiskSync.create(storage, { size, clusterSize, ...base });
  const start = performance.now();
  for (const [offset, length] of requests) {
    if (length > 0) disk.write(BYTES.subarray(0, length), offset);
    else flush(disk, storage);
  }
  flush(disk, storage);
  const milliseconds = performance.now() - start;
  disk.abandon();
  rmSync(storage.path);
  return milliseconds;
}

function baseOf(size: number): MemoryStorage {
  const base = BASES.get(size) ?? new MemoryStorage(new Uint8Array(size).fill(7));
  BASES.set(size, base);
  return base;
}

function flush(disk: DiskSync, storage: FileStorageSync): void {
  if (storage instanceof UnorderedStorage) storage.flushing = true;
  disk.flush();
  if (storage instanceof UnorderedStorage) storage.flushing = false;
}

/** Leaves out what is done between the guest's flushes for the order of its writes: entries of the BAT, flushes before them. */
class UnorderedStorage extends FileStorageSync {
  flushing = false;
  #batEnd = 0;
  #marking = true;

  static override open(path: string, options: FileOptions): UnorderedStorage {
    return new UnorderedStorage(path, options);
  }

  override write(buffer: Uint8Array, offset: number): number {
    if (offset === 0) this.#batEnd = 64 + 4 * new DataView(buffer.buffer, buffer.byteOffset).getUint32(32, true);
    this.#marking = offset === 0;
    const entries = offset > 0 && offset < this.#batEnd;
    return entries && !this.flushing ? buffer.length : super.write(buffer, offset);
  }

  override flush(): void {
    if (this.flushing || this.#marking) super.flush();
    this.#marking = false;
  }
}
