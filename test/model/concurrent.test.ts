import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { engines, readRange } from "../support/faces.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { ShortStorage, ShuffledStorage } from "../support/storages.js";
import { plans, rangeOf, type Step, steps, World } from "./world.js";

/** A request in flight: what it does to a byte array, and what it read. */
interface Flight {
  step: Step;
  offset: number;
  length: number;
  /** What a read got, once it is done. */
  got: Uint8Array | undefined;
}

function launch({ disk, plan }: World, step: Step): { flight: Flight; done: Promise<void> } {
  const { offset, length } = rangeOf(step, plan.size, plan.clusterSize);
  const flight: Flight = { step, offset, length, got: undefined };
  const act = async (): Promise<void> => {
    if (step.verb === "write") await disk.write(patternBytes(step.tag, length), offset);
    else if (step.verb === "writeZeroes") await disk.writeZeroes(offset, length);
    else if (step.verb === "flush") await disk.flush();
    else flight.got = await readRange(disk, offset, length);
  };
  return { flight, done: act() };
}

/** What the disk holds if the requests took effect in this order; undefined if a read got something else. */
function serially(before: Uint8Array, flights: readonly Flight[]): Uint8Array | undefined {
  const content = before.slice();
  for (const { step, offset, length, got } of flights) {
    if (step.verb === "write") content.set(patternBytes(step.tag, length), offset);
    else if (step.verb === "writeZeroes") content.fill(0, offset, offset + length);
    else if (got && !same(got, content.subarray(offset, offset + length))) return undefined;
  }
  return content;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** A storage that answers in any order, and every other time moves less than it was asked. */
function shuffled(seed: number): (memory: MemoryStorage) => ShuffledStorage {
  const random = randomFrom(seed);
  return (memory) => new ShuffledStorage(seed % 2 === 0 ? new ShortStorage(memory, random) : memory, random);
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length <= 1) return yield [...items];
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest];
  }
}

function isSerializable(before: Uint8Array, flights: readonly Flight[], after: Uint8Array): boolean {
  for (const order of permutations(flights)) {
    const content = serially(before, order);
    if (content && same(content, after)) return true;
  }
  return false;
}

describe.each(engines)("Requests in flight at once (%s engine)", (engine) => {
  it("take effect as if they had run one after the other", async () => {
    const property = fc.asyncProperty(
      plans("async").filter((plan) => plan.clusterSize < 100_000),
      fc.array(fc.array(steps("write", "write", "write", "read", "read", "writeZeroes", "flush"), { maxLength: 7 }), {
        maxLength: 8,
        size: "max",
      }),
      async (plan, batches) => {
        const world = await World.make(plan, "async", engine, shuffled(plan.seed));
        for (const batch of batches) {
          const before = world.model.slice();
          const launched = batch.map((step) => launch(world, step));
          await Promise.all(launched.map(({ done }) => done));
          const flights = launched.map(({ flight }) => flight);
          const after = await readRange(world.disk);
          expect(isSerializable(before, flights, after), "no serial order explains the result").toBe(true);
          world.model.set(after);
        }
        await world.reopen();
      },
    );
    await fc.assert(property, runs(60, 30));
  });

  it("never show a cluster that two writers share", async () => {
    const property = fc.asyncProperty(
      fc.nat(),
      fc.constantFrom(512, 4096, 63 * 512),
      fc.constantFrom<"v1" | "v2">("v1", "v2"),
      async (seed, clusterSize, format) => {
        const random = randomFrom(seed);
        const count = 12;
        const storage = shuffled(seed)(new MemoryStorage());
        const disk = await Disk.create(storage, { size: count * clusterSize, clusterSize, format, engine });
        let tag = 0;
        const request = async (): Promise<void> => {
          const cluster = below(random, count);
          const clusters = 1 + below(random, count - cluster);
          const kind = below(random, 8);
          const [offset, length] = [cluster * clusterSize, clusters * clusterSize];
          if (kind === 0) return disk.discard(offset, length);
          if (kind === 1) return disk.flush();
          if (kind < 4) return expectWholeClusters(await readRange(disk, offset, length), clusterSize);
          tag++;
          const bytes = new Uint8Array(length).fill(1 + (tag % 255));
          return disk.write(bytes, offset);
        };
        await Promise.all(Array.from({ length: 100 }, request));
        expect(storage.deepest).toBeGreaterThan(1);
        expectWholeClusters(await readRange(disk), clusterSize);
        await disk.close();
      },
    );
    await fc.assert(property, runs(30));
  });

  it("are finished by close, and refused after it", async () => {
    const property = fc.asyncProperty(
      plans("async"),
      fc.array(steps("write"), { maxLength: 6 }),
      async (plan, todo) => {
        const world = await World.make(plan, "async", engine, shuffled(plan.seed));
        const before = world.model.slice();
        const launched = todo.map((step) => launch(world, step));
        const closed = world.disk.close();
        const again = world.disk.close();
        await Promise.all([...launched.map(({ done }) => done), closed, again]);
        for (const request of [() => world.disk.read(new Uint8Array(0), 0), () => world.disk.flush()])
          await expect(async () => request()).rejects.toMatchObject({ code: "CLOSED" });
        const reopened = await Disk.open(new MemoryStorage(world.memory.toUint8Array()), {
          engine,
          ...(world.beneath.base === undefined ? {} : { base: world.beneath.base }),
        });
        expect(reopened.info.unclean).toBe(false);
        const flights = launched.map(({ flight }) => flight);
        expect(isSerializable(before, flights, await readRange(reopened))).toBe(true);
        await reopened.close();
      },
    );
    await fc.assert(property, runs(40, 20));
  });
});

function expectWholeClusters(bytes: Uint8Array, clusterSize: number): void {
  for (let start = 0; start < bytes.length; start += clusterSize) {
    const torn = bytes.subarray(start, start + clusterSize).findIndex((byte) => byte !== bytes[start]);
    expect(torn, `the cluster at ${start} holds bytes of two writers`).toBe(-1);
  }
}
