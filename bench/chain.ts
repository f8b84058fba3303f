/**
 * What chains cost: small random reads of a bundle's disk at depth 1 and at depth 30, in turns; and how long requests of an
 * open disk of 1 TiB wait for a snapshot, beyond its flushes.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Bundle, BundleSync, type Folder } from "../src/bundle.js";
import type { Storage } from "../src/index.js";
import { compare } from "../src/measure/compare.js";
import { FileFolder, FileFolderSync } from "../src/node.js";
import type { Question, Row } from "./question.js";

const SIZE = 64 * 2 ** 20;
const CLUSTER_SIZE = 65536;
const DEPTH = 30;
const READ_SIZE = 4096;
const IN_FLIGHT = 8;

/** Reads of one round. */
const READS = 4096;

export const chain: Question = {
  name: "chain",
  title:
    "Chains: 4 KiB random reads of a bundle's disk 30 images deep, beside the same at depth 1; snapshots of an open disk",
  bound: "the read itself: the owner of a cluster is looked up once, whatever the depth.",
  main: ["read at depth 30, sync, wasm"],
  async run({ quick, folder }) {
    const rows = await measureReads(folder, quick ? 5 : 25);
    return { rows: [...rows, await measureSnapshots(folder, quick ? 3 : 9)] };
  },
};

async function measureReads(folder: string, rounds: number): Promise<Row[]> {
  const paths = [makeChain(join(folder, "flat.hdd"), 1), makeChain(join(folder, "deep.hdd"), DEPTH)];
  const rows: Row[] = [];
  for (const engine of ["wasm", "js"] as const) {
    const now = paths.map((path) => BundleSync.open(FileFolderSync.open(path), { engine }));
    const disks = now.map((bundle) => bundle.openDisk({ readOnly: true }));
    const buffer = new Uint8Array(READ_SIZE);
    rows.push(
      await inTurns(`sync, ${engine}`, rounds, async (which, offsets) => {
        for (const offset of offsets) disks[which].read(buffer, offset);
      }),
    );
    for (const bundle of now) bundle.close();
    const later = await Promise.all(paths.map(async (path) => Bundle.open(await FileFolder.open(path), { engine })));
    const slow = await Promise.all(later.map((bundle) => bundle.openDisk({ readOnly: true })));
    const buffers = Array.from({ length: IN_FLIGHT }, () => new Uint8Array(READ_SIZE));
    rows.push(
      await inTurns(`async x ${IN_FLIGHT}, ${engine}`, rounds, async (which, offsets) => {
        for (let at = 0; at < offsets.length; at += IN_FLIGHT)
          await Promise.all(buffers.map((bytes, index) => slow[which].read(bytes, offsets[at + index])));
      }),
    );
    for (const bundle of later) await bundle.close();
  }
  return rows;
}

/** A disk whose clusters all lie in the file, each in another layer than its neighbour. */
function makeChain(path: string, depth: number): string {
  mkdirSync(path);
  const bundle = BundleSync.create(FileFolderSync.open(path), { size: SIZE, clusterSize: CLUSTER_SIZE });
  const disk = bundle.openDisk();
  for (let layer = 0; layer < depth; layer++) {
    if (layer > 0) bundle.createSnapshot();
    const bytes = new Uint8Array(CLUSTER_SIZE).fill(layer + 1);
    for (let offset = layer * CLUSTER_SIZE; offset < SIZE; offset += depth * CLUSTER_SIZE) disk.write(bytes, offset);
  }
  bundle.close();
  return path;
}

async function inTurns(
  name: string,
  rounds: number,
  read: (which: number, offsets: readonly number[]) => Promise<void>,
): Promise<Row> {
  const times: [flat: number[], deep: number[]] = [[], []];
  for (let round = 0; round < rounds + 2; round++) {
    const offsets = Array.from({ length: READS }, () => Math.floor((Math.random() * SIZE) / READ_SIZE) * READ_SIZE);
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const start = performance.now();
      await read(which, offsets);
      const taken = ((performance.now() - start) / READS) * 1000;
      if (round >= 2) times[which].push(taken); // the first ones are still being compiled
    }
  }
  const [flat, deep] = times;
  return { what: `read at depth ${DEPTH}, ${name}`, against: "at depth 1", ...compare(deep, flat), unit: "µs" };
}

/** Snapshots of an open disk of 1 TiB in 1 MiB clusters, some of which the guest wrote. */
async function measureSnapshots(folder: string, rounds: number): Promise<Row> {
  const path = join(folder, "large.hdd");
  mkdirSync(path);
  const clock = { flushing: 0 };
  const bundle = await Bundle.create(timed(await FileFolder.open(path), clock), { size: 2 ** 40 });
  const disk = await bundle.openDisk();
  const times: [total: number[], flushing: number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (let cluster = round; cluster < 2 ** 20; cluster += 9973)
      await disk.write(new Uint8Array(512), cluster * 2 ** 20);
    await disk.flush();
    clock.flushing = 0;
    const start = performance.now();
    await bundle.createSnapshot();
    times[0].push(performance.now() - start);
    times[1].push(clock.flushing);
  }
  await bundle.close();
  const what = "snapshot of an open disk of 1 TiB, clusters of 1 MiB";
  return { what, against: "its flushes alone", ...compare(...times), unit: "ms" };
}

/** A folder that adds up what flushes and syncs take. */
function timed(folder: FileFolder, clock: { flushing: number }): Folder {
  const timing = async (flush: () => void | Promise<void>) => {
    const start = performance.now();
    await flush();
    clock.flushing += performance.now() - start;
  };
  const watched = (storage: Storage): Storage =>
    new Proxy(storage, {
      get(target, name: keyof Storage) {
        if (name === "flush") return () => timing(() => target.flush());
        const member = target[name];
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  return {
    path: folder.path,
    list: () => folder.list(),
    open: async (name, options) => watched(await folder.open(name, options)),
    create: async (name) => watched(await folder.create(name)),
    rename: (from, to) => folder.rename(from, to),
    remove: (name) => folder.remove(name),
    sync: () => timing(() => folder.sync()),
  };
}
