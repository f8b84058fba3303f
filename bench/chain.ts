/**
 * What chains cost: small random reads of a bundle's disk at depth 1 and at depth 30, in turns; and how long requests of an
 * open disk of 1 TiB wait for a snapshot, beyond its flushes.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Bundle, BundleSync, type Folder } from "../src/bundle.js";
import type { EngineKind, Storage } from "../src/index.js";
import { median } from "../src/measure/turns.js";
import { FileFolder, FileFolderSync } from "../src/node.js";

export interface ChainRow {
  face: "sync" | "async";
  engine: EngineKind;
  /** Median microseconds a read, at depth 1 and at depth 30. */
  flat: number;
  deep: number;
  /** Median of the rounds' own ratios. */
  ratio: number;
}

const SIZE = 64 * 2 ** 20;
const CLUSTER_SIZE = 65536;
const DEPTH = 30;
const READ_SIZE = 4096;
const IN_FLIGHT = 8;

/** Reads of one round. */
const READS = 4096;

export async function benchChain({ folder, rounds }: { folder: string; rounds: number }): Promise<ChainRow[]> {
  const paths = [makeChain(join(folder, "flat.hdd"), 1), makeChain(join(folder, "deep.hdd"), DEPTH)];
  const rows: ChainRow[] = [];
  for (const engine of ["wasm", "js"] as const) {
    const now = paths.map((path) => BundleSync.open(FileFolderSync.open(path), { engine }));
    const disks = now.map((bundle) => bundle.openDisk({ readOnly: true }));
    const buffer = new Uint8Array(READ_SIZE);
    rows.push(
      await inTurns("sync", engine, rounds, async (which, offsets) => {
        for (const offset of offsets) disks[which].read(buffer, offset);
      }),
    );
    for (const bundle of now) bundle.close();
    const later = await Promise.all(paths.map(async (path) => Bundle.open(await FileFolder.open(path), { engine })));
    const slow = await Promise.all(later.map((bundle) => bundle.openDisk({ readOnly: true })));
    const buffers = Array.from({ length: IN_FLIGHT }, () => new Uint8Array(READ_SIZE));
    rows.push(
      await inTurns("async", engine, rounds, async (which, offsets) => {
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
  face: ChainRow["face"],
  engine: EngineKind,
  rounds: number,
  read: (which: number, offsets: readonly number[]) => Promise<void>,
): Promise<ChainRow> {
  const times: [flat: number, deep: number][] = [];
  for (let round = 0; round < rounds + 2; round++) {
    const offsets = Array.from({ length: READS }, () => Math.floor((Math.random() * SIZE) / READ_SIZE) * READ_SIZE);
    const took: [number, number] = [0, 0];
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const start = performance.now();
      await read(which, offsets);
      took[which] = ((performance.now() - start) / READS) * 1000;
    }
    if (round >= 2) times.push(took); // the first ones are still being compiled
  }
  return {
    ...{ face, engine },
    flat: median(times.map(([flat]) => flat)),
    deep: median(times.map(([, deep]) => deep)),
    ratio: median(times.map(([flat, deep]) => deep / flat)),
  };
}

export interface SnapshotTime {
  /** Median milliseconds that a snapshot takes, and those of them that flushes and syncs do not. */
  total: number;
  beyond: number;
}

/** Snapshots of an open disk of 1 TiB in 1 MiB clusters, some of which the guest wrote. */
export async function benchSnapshot({ folder, rounds }: { folder: string; rounds: number }): Promise<SnapshotTime> {
  const path = join(folder, "large.hdd");
  mkdirSync(path);
  const clock = { flushing: 0 };
  const bundle = await Bundle.create(timed(await FileFolder.open(path), clock), { size: 2 ** 40 });
  const disk = await bundle.openDisk();
  const times: { total: number; beyond: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let cluster = round; cluster < 2 ** 20; cluster += 9973)
      await disk.write(new Uint8Array(512), cluster * 2 ** 20);
    await disk.flush();
    clock.flushing = 0;
    const start = performance.now();
    await bundle.createSnapshot();
    const total = performance.now() - start;
    times.push({ total, beyond: total - clock.flushing });
  }
  await bundle.close();
  return { total: median(times.map(({ total }) => total)), beyond: median(times.map(({ beyond }) => beyond)) };
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
