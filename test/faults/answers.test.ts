/** Storages of somebody's own: what they answer and throw is looked at before it is believed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DiskError } from "../../src/errors.js";
import { cached } from "../../src/storage/cached.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { combinations, createDisk, openDisk } from "../support/faces.js";
import { patternBytes } from "../support/random.js";
import { runs } from "../support/runs.js";
import { PassingStorage } from "../support/storages.js";
import { outcomeOf, settled } from "./settled.js";

const CLUSTER = 4096;

/** Answers from a list instead of its own, once it is armed; does nothing then. */
class LyingStorage extends PassingStorage<MemoryStorage> {
  readonly lies: Record<string, unknown> = {};
  readonly memory = this.inner;
  readonly told: string[] = [];

  override read(buffer: Uint8Array, offset: number): number {
    return this.#answer("read", () => super.read(buffer, offset));
  }

  override write(buffer: Uint8Array, offset: number): number {
    return this.#answer("write", () => super.write(buffer, offset));
  }

  override size(): number {
    return this.#answer("size", () => super.size());
  }

  #answer<T>(verb: string, act: () => T): T {
    if (!(verb in this.lies)) return act();
    this.told.push(verb);
    if (this.told.length > 1000) throw new Error("asked again and again");
    return this.lies[verb] as T;
  }
}

const wrongCounts = [
  undefined,
  null,
  Number.NaN,
  -1,
  0.5,
  4294967288,
  2 ** 53,
  Number.POSITIVE_INFINITY,
  "4096",
  4096n,
  {},
];

async function make(face: "async" | "sync", engine: "wasm" | "js") {
  const storage = new LyingStorage(new MemoryStorage());
  const disk = await createDisk(face, storage, { size: 8 * CLUSTER, clusterSize: CLUSTER, engine });
  await disk.write(patternBytes(1, 2 * CLUSTER), 0);
  await disk.flush();
  return { storage, disk };
}

describe.each(combinations)("An answer that no storage may give ($face face, $engine engine)", ({ face, engine }) => {
  test.each(wrongCounts)(
    "%s, to a read or a write, fails that request and names storage, verb and answer",
    async (lie) => {
      const { storage, disk } = await make(face, engine);
      for (const [verb, offset, length] of [
        ["read", 0, CLUSTER],
        ["read", 100, 2 * CLUSTER - 100],
        ["write", 0, CLUSTER],
        ["write", 2 * CLUSTER, CLUSTER],
        ["write", 5 * CLUSTER + 17, 100],
      ] as const) {
        storage.lies[verb] = lie;
        const outcome = await outcomeOf(verb, () => disk[verb](new Uint8Array(length).fill(7), offset));
        delete storage.lies[verb];
        expect(outcome).toMatchObject({ ok: false, error: { code: "BAD_STORAGE", details: { verb } } });
        const { message } = (outcome as { error: DiskError }).error;
        expect(message).toContain("LyingStorage");
        expect(message).toContain(`its ${verb} must answer`);
      }
      // What was written to new clusters does not show, and what is there is there.
      const all = new Uint8Array(8 * CLUSTER);
      await disk.read(all, 0);
      expect(all.subarray(2 * CLUSTER).every((byte) => byte === 0)).toBe(true);
      expect(all.subarray(0, 2 * CLUSTER)).toEqual(patternBytes(1, 2 * CLUSTER));
      await disk.close();
      const again = await openDisk(face, new MemoryStorage(storage.memory.toUint8Array()));
      expect((await again.check()).findings).toEqual([]);
      await again.close();
    },
  );

  test.each(wrongCounts.filter((lie) => lie !== 4294967288))("%s, as a size, refuses the storage", async (lie) => {
    const { storage, disk } = await make(face, engine);
    await disk.close();
    for (const act of [
      () => openDisk(face, storage, { engine }),
      () => createDisk(face, storage, { size: CLUSTER, engine }),
      () => openDisk(face, new MemoryStorage(storage.memory.toUint8Array()), { engine, base: storage }),
    ]) {
      storage.lies.size = lie;
      expect(await outcomeOf("opening", act)).toMatchObject({
        error: { code: "BAD_STORAGE", details: { verb: "size" } },
      });
    }
  });

  test("is refused of a base, too", async () => {
    const base = new LyingStorage(new MemoryStorage(patternBytes(3, 8 * CLUSTER)));
    const disk = await createDisk(face, new MemoryStorage(), { size: 8 * CLUSTER, clusterSize: CLUSTER, engine, base });
    for (const lie of wrongCounts) {
      base.lies.read = lie;
      const outcome = await outcomeOf("write", () => disk.write(new Uint8Array(1), 4321));
      expect(outcome).toMatchObject({ error: { code: "BAD_STORAGE" } });
    }
    expect(disk.allocatedBytes).toBe(0);
  });

  test("does not make a write that was cut short, and then took nothing, count as done: the device is full", async () => {
    const { storage, disk } = await make(face, engine);
    for (const first of [0, 1000]) {
      let calls = 0;
      Object.defineProperty(storage.lies, "write", { get: () => (calls++ === 0 ? first : 0), configurable: true });
      const outcome = await outcomeOf("write", () => disk.write(new Uint8Array(CLUSTER), 6 * CLUSTER));
      expect(outcome).toMatchObject({ error: { code: "NO_SPACE" } });
      const inPlace = await outcomeOf("write", () => disk.write(new Uint8Array(CLUSTER), 0));
      expect(inPlace).toMatchObject({ error: { code: "NO_SPACE" } });
      delete storage.lies.write;
    }
    expect(disk.allocatedBytes).toBe(2 * CLUSTER);
    await disk.close();
  });

  test("to nextData and saveBeside is refused as well", async () => {
    for (const lie of [null, 5, {}, { start: -1, end: 5 }, { start: 9, end: 9 }, { start: 0, end: 1.5 }, [1, 2]]) {
      const { storage, disk } = await make(face, engine);
      await disk.discard(0, CLUSTER); // a free cluster between others is looked at
      await disk.flush();
      Object.assign(storage, { nextData: () => lie });
      expect(await outcomeOf("check", () => disk.check())).toMatchObject({
        error: { code: "BAD_STORAGE", details: { verb: "nextData" } },
      });
      await disk.abandon();
    }
  });

  test.each([
    undefined,
    null,
    "text",
    Object.freeze(new Error("frozen")),
    Symbol("s"),
    0,
    new Proxy({}, { get: thrower, getPrototypeOf: thrower }),
  ])("is an error for what a storage throws, whatever it is (%#)", async (thrown) => {
    const { storage, disk } = await make(face, engine);
    Object.defineProperty(storage.lies, "write", {
      get: () => {
        throw thrown;
      },
      configurable: true,
    });
    for (const offset of [0, 4 * CLUSTER]) {
      const outcome = await outcomeOf("write", () => disk.write(new Uint8Array(5), offset));
      const { error } = outcome as { error: DiskError };
      expect(error).toMatchObject({ name: "DiskError", code: "IO" });
      expect(Object.hasOwn(error, "cause")).toBe(true);
      expect(error.cause === thrown).toBe(true);
      expect(error.message).toMatch(/^writing \d+ bytes at \d+ failed: ./);
    }
    delete storage.lies.write;
    await disk.close();
  });
});

function thrower(): never {
  throw new Error("a trap");
}

describe("A storage", () => {
  const complete = (): Record<string, unknown> => {
    const memory = new MemoryStorage();
    return Object.fromEntries(
      ["read", "write", "size", "truncate", "flush", "close"].map((verb) => [
        verb,
        (...given: never[]) => (memory[verb as "read"] as (...given: never[]) => unknown).apply(memory, given),
      ]),
    );
  };

  test.each(["read", "write", "size", "truncate", "flush", "close"])("without %s is refused by name", async (verb) => {
    for (const instead of [undefined, 5, "read", {}]) {
      const storage = { ...complete(), [verb]: instead } as unknown as Storage;
      for (const face of ["async", "sync"] as const) {
        const outcome = await outcomeOf("create", () => createDisk(face, storage, { size: CLUSTER }));
        expect(outcome).toMatchObject({ error: { name: "TypeError" } });
        expect((outcome as { error: Error }).error.message).toMatch(
          new RegExp(`^storage\\.${verb}: expected a function`),
        );
      }
    }
  });

  test("that is opened for reading needs nothing that writes", async () => {
    const memory = new MemoryStorage();
    await (await createDisk("sync", memory, { size: CLUSTER })).close();
    const copy = new MemoryStorage(memory.toUint8Array());
    const reading = {
      read: copy.read.bind(copy),
      size: copy.size.bind(copy),
      close: copy.close.bind(copy),
      readOnly: true,
    };
    for (const face of ["async", "sync"] as const) {
      const disk = await openDisk(face, reading as unknown as Storage);
      expect((await disk.check()).findings).toEqual([]);
      await disk.flush();
      if (face === "sync") await disk.close();
    }
    await expect(async () => openDisk("sync", { ...reading, readOnly: false } as unknown as Storage)).rejects.toThrow(
      "storage.write: expected a function, got undefined",
    );
  });

  test.each([undefined, null, 5, "disk.hds", Symbol("s")])("is not %s", async (storage) => {
    for (const face of ["async", "sync"] as const) {
      await expect(async () => openDisk(face, storage as unknown as Storage)).rejects.toThrow(
        /^storage: expected an object/,
      );
    }
  });

  test("is none as long as it is only promised", async () => {
    for (const face of ["async", "sync"] as const) {
      const promised = Promise.resolve(new MemoryStorage()) as unknown as Storage;
      await expect(async () => openDisk(face, promised)).rejects.toThrow("got a promise: await it first");
    }
  });

  test("has a name that is text, and says yes or no to being read-only", async () => {
    for (const [wrong, message] of [
      [{ path: 5 }, "storage.path: expected a string, got 5"],
      [{ path: new URL("file:///x") }, "storage.path: expected a string, got a URL"],
      [{ readOnly: () => true }, "storage.readOnly: expected true or false, got a function"],
      [{ readOnly: "no" }, 'storage.readOnly: expected true or false, got "no"'],
    ] as const) {
      const storage = { ...complete(), ...wrong } as unknown as Storage;
      await expect(async () => openDisk("async", storage)).rejects.toThrow(message);
    }
  });

  test("behind a cache is believed no more", async () => {
    for (const lie of wrongCounts) {
      const storage = new LyingStorage(new MemoryStorage(patternBytes(1, 10_000)));
      const cache = cached(storage);
      storage.lies.read = lie;
      const read = await outcomeOf("read", () => cache.read(new Uint8Array(100), 0));
      expect(read).toMatchObject({ error: { code: "BAD_STORAGE" } });
      delete storage.lies.read;
      storage.lies.write = lie;
      const written = await outcomeOf("write", () => cache.write(new Uint8Array(100), 0));
      expect(written).toMatchObject({ error: { code: "BAD_STORAGE" } });
      delete storage.lies.write;
      const bytes = new Uint8Array(100);
      await cache.read(bytes, 0);
      expect(bytes).toEqual(patternBytes(1, 100));
    }
  });

  test("that answers anything at all, at any time, never has it believed, and never hangs a disk", async () => {
    const anyAnswer = fc.oneof(
      fc.anything(),
      fc.constantFrom<unknown>(...wrongCounts),
      fc.double(),
      fc.integer({ min: -10, max: 10_000 }),
    );
    const plan = fc.record({
      face: fc.constantFrom("async" as const, "sync" as const),
      lies: fc.array(fc.tuple(fc.constantFrom("read", "write", "size"), fc.nat(30), anyAnswer), {
        minLength: 1,
        maxLength: 5,
      }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ face, lies }) => {
        const { storage, disk } = await make(face, "js");
        const counts: Record<string, number> = {};
        let wild = 0;
        for (const verb of ["read", "write", "size"]) {
          const inner = storage[verb as "read"].bind(storage);
          Object.assign(storage, {
            [verb]: (buffer: Uint8Array, offset: number) => {
              const count = (counts[verb] ?? 0) + 1;
              counts[verb] = count;
              const lie = lies.find(([which, at]) => which === verb && at === count);
              if (lie === undefined) return inner(buffer, offset);
              const [, , answer] = lie;
              // A number that may be right is made right: so many bytes are moved.
              if (
                verb !== "size" &&
                Number.isInteger(answer) &&
                (answer as number) > 0 &&
                (answer as number) <= buffer.length
              )
                return inner(buffer.subarray(0, answer as number), offset);
              wild++;
              return answer;
            },
          });
        }
        const expected = new Uint8Array(8 * CLUSTER);
        expected.set(patternBytes(1, 2 * CLUSTER));
        for (let step = 0; step < 12; step++) {
          const bytes = patternBytes(step + 2, 3000);
          const offset = (step * 7919) % (8 * CLUSTER - 3000);
          const before = wild;
          const outcome = await outcomeOf("write", () => disk.write(bytes, offset));
          if (wild === before) expect(outcome.ok).toBe(true);
          if (!outcome.ok) expect(["BAD_STORAGE", "NO_SPACE", undefined]).toContain((outcome.error as DiskError).code);
          if (outcome.ok) expected.set(bytes, offset);
          else {
            // The bytes of a request that failed are open: they are written again.
            lies.splice(0);
            await disk.write(bytes, offset);
            expected.set(bytes, offset);
          }
        }
        lies.splice(0);
        const all = new Uint8Array(8 * CLUSTER);
        await settled("read", disk.read(all, 0) as undefined);
        expect(Buffer.compare(all, expected)).toBe(0);
        await disk.close();
      }),
      runs(300),
    );
  });
});
