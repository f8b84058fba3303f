import { describe, expect, test } from "vitest";
import { Disk } from "../../src/disk.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { firstDifference } from "../support/bytes.js";
import { engines, readRange } from "../support/faces.js";
import { patternBytes } from "../support/random.js";
import { SECTOR } from "../support/sectors.js";
import { settled } from "./settled.js";

const CLUSTER = 4096;

type Verb = "read" | "write" | "flush" | "truncate";

/** A storage that holds a request back until it is let go; writes down what it did. */
class GatedStorage implements Storage {
  readonly memory = new MemoryStorage();
  readonly log: string[] = [];
  #held: { verb: Verb; at: number; open: Promise<void> } | undefined;
  /** Requests that were begun and have not ended. */
  #underWay = 0;
  /** How many those were when it was closed. */
  interrupted: number | undefined;

  /** Holds back the next request of a kind, at this offset if it has one; answers what lets it go. */
  hold(verb: Verb, at = -1): () => void {
    let release = () => {};
    const open = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held = { verb, at, open };
    return release;
  }

  read = (buffer: Uint8Array, offset: number) => this.#request("read", offset, () => this.memory.read(buffer, offset));
  write = (buffer: Uint8Array, offset: number) =>
    this.#request("write", offset, () => this.memory.write(buffer, offset));
  flush = () => this.#request("flush", -1, () => this.memory.flush());
  size = () => this.memory.size();
  truncate = (size: number) => this.#request("truncate", -1, () => this.memory.truncate(size));
  punch = (offset: number, length: number) => this.memory.punch(offset, length);

  close(): void {
    this.interrupted = this.#underWay;
    this.memory.close();
  }

  async #request<T>(verb: Verb, offset: number, act: () => T): Promise<T> {
    const held = this.#held;
    const isHeld = held?.verb === verb && (held.at === -1 || held.at === offset);
    if (isHeld) this.#held = undefined;
    this.#underWay++;
    try {
      if (isHeld) await held.open;
      this.log.push(offset < 0 ? verb : `${verb} ${offset}`);
      return act();
    } finally {
      this.#underWay--;
    }
  }
}

/** Everything that can go on without what is held back has gone on. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Watches whether a promise is settled. */
function watch(promise: Promise<unknown>): { done: boolean; promise: Promise<unknown> } {
  const watched = { done: false, promise };
  promise.finally(() => {
    watched.done = true;
  });
  return watched;
}

const bytes = (tag: number): Uint8Array => patternBytes(tag, CLUSTER);

/** A disk with two clusters written and flushed; cluster 0 lies at `CLUSTER` in the file. */
async function begin(engine: "wasm" | "js"): Promise<{ storage: GatedStorage; disk: Disk }> {
  const storage = new GatedStorage();
  const disk = await Disk.create(storage, { size: 8 * CLUSTER, clusterSize: CLUSTER, engine });
  await disk.write(bytes(0), 0);
  await disk.write(bytes(1), CLUSTER);
  await disk.flush();
  storage.log.length = 0;
  return { storage, disk };
}

describe.each(engines)("a request that takes its time (%s engine)", (engine) => {
  test("as the flush of an image that was taken over keeps the first change from beginning", async () => {
    const { storage } = await begin(engine); // never closed: its writer did not finish
    const disk = await Disk.open(storage, { engine });
    storage.log.length = 0;
    const release = storage.hold("flush");
    const flushed = disk.flush();
    const written = watch(disk.write(bytes(9), 5 * CLUSTER));
    await quiet();
    expect([written.done, storage.log]).toEqual([false, []]);
    release();
    await Promise.all([flushed, written.promise]);
    expect(storage.log.slice(0, 2)).toEqual(["flush", "write 0"]);
  });

  test("as a flush keeps a repair from cutting the file", async () => {
    const { storage, disk } = await begin(engine);
    await disk.discard(CLUSTER, CLUSTER);
    const release = storage.hold("flush");
    const flushed = disk.flush();
    const repaired = watch(disk.repair("leaks"));
    await quiet();
    expect([repaired.done, storage.log]).toEqual([false, ["write 68"]]); // the BAT, which is not durable yet
    release();
    await Promise.all([flushed, repaired.promise]);
    expect(firstDifference(await readRange(disk, 0, CLUSTER), bytes(0))).toBe(-1);
    await disk.close();
  });

  test("as a read keeps its cluster from being discarded and used again", async () => {
    const { storage, disk } = await begin(engine);
    const release = storage.hold("read", CLUSTER);
    const reading = readRange(disk, 0, CLUSTER);
    const discarding = watch(disk.discard(0, CLUSTER));
    const others = [disk.flush(), disk.write(bytes(2), 2 * CLUSTER), disk.write(bytes(3), 3 * CLUSTER)];
    await settled("what touches other clusters", Promise.all(others));
    await disk.flush();
    expect(discarding.done).toBe(false);
    release();
    expect(firstDifference(await reading, bytes(0))).toBe(-1);
    await settled("the discard", discarding.promise);
    expect(firstDifference(await readRange(disk, 0, CLUSTER), new Uint8Array(CLUSTER))).toBe(-1);
    await disk.close();
  });

  test("lets others have other parts of its cluster, and nobody its own sectors", async () => {
    const { storage, disk } = await begin(engine);
    const sector = (at: number) => CLUSTER + at * SECTOR; // in the file as on the disk less a cluster
    await disk.write(patternBytes(1, 8), 0); // the first change marks the disk
    const release = storage.hold("write", sector(2) + 8);
    const writing = watch(disk.write(patternBytes(2, 8), 2 * SECTOR + 8));
    const others = [disk.write(patternBytes(3, SECTOR), SECTOR), readRange(disk, 3 * SECTOR, SECTOR)];
    await settled("what touches other sectors", Promise.all(others));
    const sameSector = watch(disk.write(patternBytes(4, 8), 2 * SECTOR + 100));
    const [read, discarded] = [watch(readRange(disk, 0, CLUSTER)), watch(disk.discard(0, CLUSTER))];
    await quiet();
    expect([writing, sameSector, read, discarded].map(({ done }) => done)).toEqual([false, false, false, false]);
    release();
    await settled("all that waited", Promise.all([writing, sameSector, read, discarded].map(({ promise }) => promise)));
    const before = bytes(0);
    before.set(patternBytes(1, 8));
    before.set(patternBytes(2, 8), 2 * SECTOR + 8);
    before.set(patternBytes(3, SECTOR), SECTOR);
    before.set(patternBytes(4, 8), 2 * SECTOR + 100);
    expect(firstDifference((await read.promise) as Uint8Array, before)).toBe(-1);
    await disk.close();
  });

  test("as a write into several runs is not in the BAT before its data is durable", async () => {
    const { storage, disk } = await begin(engine);
    await disk.discard(0, CLUSTER);
    await disk.flush(); // the first cluster of the file is free, so what comes next lies in two runs
    await disk.flush(); // and its hole is durable
    storage.log.length = 0;
    const release = storage.hold("write", 3 * CLUSTER);
    const writing = disk.write(patternBytes(9, 2 * CLUSTER), 4 * CLUSTER);
    await quiet();
    await settled("a flush beside it", disk.flush());
    // Entries of one request come together, when all of it is written.
    expect(storage.log.filter((request) => request !== "truncate")).toEqual([`write ${CLUSTER}`, "flush"]);
    release();
    await settled("the write", writing);
    expect(firstDifference(await readRange(disk, 4 * CLUSTER, 2 * CLUSTER), patternBytes(9, 2 * CLUSTER))).toBe(-1);
    await disk.close();
  });

  test.each(["read", "write", "flush"] as const)("as a %s is waited for by close", async (verb) => {
    const { storage, disk } = await begin(engine);
    await disk.write(bytes(5), CLUSTER);
    const release = storage.hold(verb);
    const requests = { read: () => readRange(disk), write: () => disk.write(bytes(6), 0), flush: () => disk.flush() };
    const held = watch(requests[verb]());
    const closing = watch(disk.close());
    await quiet();
    expect(closing.done || held.done || storage.interrupted !== undefined).toBe(false);
    release();
    await settled("close", Promise.all([held.promise, closing.promise]));
    expect(storage.interrupted).toBe(0);
  });

  test("as a flush that came during close is waited for, too", async () => {
    const { storage, disk } = await begin(engine);
    await disk.discard(CLUSTER, CLUSTER); // so there is a tail to be cut
    const truncate = storage.hold("truncate");
    const closing = disk.close();
    await quiet();
    const flush = storage.hold("flush");
    const flushing = disk.flush().catch((error) => error);
    await quiet();
    truncate();
    await quiet();
    expect(storage.interrupted === undefined || storage.interrupted === 0).toBe(true);
    flush();
    await settled("close", Promise.all([closing, flushing]));
    expect(storage.interrupted).toBe(0);
  });
});
