import { describe, expect, test } from "vitest";
import { Disk } from "../../src/disk.js";
import { DiskSync } from "../../src/disk-sync.js";
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { engines } from "../support/faces.js";
import { History } from "../support/history.js";
import { below, type Random, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { SECTOR, sectorsOf } from "../support/sectors.js";
import { ShuffledStorage } from "../support/storages.js";
import { DurableStorage } from "./durable-storage.js";
import { settled } from "./settled.js";

const CLUSTERS = 24;
/** Requests in flight at once, and one after the other in each of their places. */
const [WIDTH, DEPTH] = [100, 8];
const ROUNDS = runs(6).numRuns;
/** Of so many changes one is looked at: opening a disk takes longer than making them. */
const SAMPLE = 4;

/** A disk with many requests in flight, on a storage that answers in any order. */
class Crowd {
  readonly random: Random;
  readonly durable: DurableStorage;
  readonly disk: Disk;
  readonly history: History;
  /** Requests that found the disk closed. */
  refused = 0;
  #version = 1;

  private constructor(random: Random, durable: DurableStorage, disk: Disk) {
    this.random = random;
    this.durable = durable;
    this.disk = disk;
    this.history = new History(disk.size / SECTOR);
  }

  static async gather(seed: number, engine: "wasm" | "js"): Promise<Crowd> {
    const random = randomFrom(seed);
    const clusterSize = [SECTOR, 4096, 7 * SECTOR][below(random, 3)];
    const format: Format = random() < 0.5 ? "v1" : "v2";
    const memory = new MemoryStorage();
    const empty = DiskSync.create(memory, { size: CLUSTERS * clusterSize, clusterSize, format });
    const { dataOffset } = empty.info;
    empty.close();
    const durable = new DurableStorage(memory.toUint8Array(), dataOffset);
    const size = below(random, 3) * clusterSize;
    const prealloc = { mode: size === 0 ? "off" : "truncate", size } as const;
    const disk = await Disk.open(new ShuffledStorage(durable, random), { engine, prealloc });
    return new Crowd(random, durable, disk);
  }

  /** Requests one after the other. */
  async requests(count: number): Promise<void> {
    for (let done = 0; done < count; done++) await this.request();
  }

  /** One request of any kind. */
  async request(): Promise<void> {
    const kind = this.random();
    try {
      if (kind < 0.1) await this.#flush();
      else if (kind < 0.4) await this.#read();
      else await this.#write(kind < 0.6);
    } catch (error) {
      expectClosed(error);
      this.refused++;
    }
  }

  async #write(discards: boolean): Promise<void> {
    const { first, count } = this.#range(discards);
    const version = discards ? 0 : this.#version++;
    const write = this.history.begin(version, first, count);
    const [offset, length] = [first * SECTOR, count * SECTOR];
    if (!discards) await this.disk.write(sectorsOf(first, count, version), offset);
    else if (this.random() < 0.5) await this.disk.discard(offset, length);
    else await this.disk.writeZeroes(offset, length);
    this.history.end(write);
  }

  async #read(): Promise<void> {
    const { first, count } = this.#range(false);
    const buffer = new Uint8Array(count * SECTOR).fill(0xa5);
    const read = this.history.beginRead(first, count);
    await this.disk.read(buffer, first * SECTOR);
    expect(this.history.endRead(read, buffer)).toBeUndefined();
  }

  async #flush(): Promise<void> {
    const begun = this.history.beginFlush();
    await this.disk.flush();
    this.history.endFlush(begun);
  }

  /** Within few clusters, so that requests overlap; discards mostly of whole ones. */
  #range(whole: boolean): { first: number; count: number } {
    const { random, disk } = this;
    const perCluster = disk.clusterSize / SECTOR;
    const cluster = below(random, CLUSTERS);
    const clusters = 1 + below(random, Math.min(6, CLUSTERS - cluster));
    if (whole && random() < 0.8) return { first: cluster * perCluster, count: clusters * perCluster };
    const first = cluster * perCluster + below(random, perCluster);
    return { first, count: 1 + below(random, Math.min(clusters * perCluster, disk.size / SECTOR - first)) };
  }

  /** What a loss of power would leave now holds every sector in some version that it may have. */
  expectSound(left: MemoryStorage): void {
    const disk = DiskSync.open(new MemoryStorage(left.toUint8Array()), { readOnly: true });
    // What was not closed cleanly counts as one, and is all there is.
    expect(
      disk.check().findings.filter(({ kind, severity }) => severity === "corruption" && kind !== "unclean"),
    ).toEqual([]);
    const content = new Uint8Array(disk.size);
    disk.read(content, 0);
    expect(this.history.problemWith(content)).toBeUndefined();
  }
}

describe.each(engines)("hundreds of requests in flight (%s engine)", (engine) => {
  const seed = runs(1).seed ?? below(Math.random, 2 ** 31);

  for (let round = 0; round < ROUNDS; round++) {
    test(`read what was written, and leave a sound image at any time (seed ${seed}, round ${round})`, async () => {
      const crowd = await Crowd.gather(seed + round, engine);
      let unsound: unknown;
      let changes = 0;
      crowd.durable.onChange = (left) => {
        if (unsound !== undefined || changes++ % SAMPLE > 0) return;
        try {
          crowd.expectSound(left);
        } catch (error) {
          unsound = error;
        }
      };
      await settled("a request", Promise.all(Array.from({ length: WIDTH }, () => crowd.requests(DEPTH))));
      const end = crowd.history.beginFlush();
      await settled("close", crowd.disk.close());
      crowd.history.endFlush(end);
      crowd.expectSound(crowd.durable.memory);
      if (unsound !== undefined) throw unsound;
      expect(crowd.refused).toBe(0);
    });

    test(`are waited for by close, or refused (seed ${seed}, round ${round})`, async () => {
      const crowd = await Crowd.gather(seed + round, engine);
      const requests = Array.from({ length: 60 }, () => crowd.request());
      const closing = crowd.disk.close();
      // Whatever comes now finds the disk closed, or is served before it is: the storage is never asked later.
      for (let turn = 0; turn < 40; turn++) {
        requests.push(crowd.request(), crowd.disk.flush().catch(expectClosed));
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await settled("close", Promise.all([closing, ...requests]));
      expect(crowd.refused).toBeGreaterThan(0);
      crowd.expectSound(crowd.durable.memory);
    });
  }
});

/** The disk refused it: nothing reached the storage. */
function expectClosed(error: unknown): void {
  expect(error).toMatchObject({ code: "CLOSED", message: expect.stringContaining("the disk is closed") });
}
