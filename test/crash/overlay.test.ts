/** Commit and rebase where power is lost, of both files at once: over its base the overlay reads as before, whatever is left. */
import { describe, expect, test } from "vitest";
import type { BlockDeviceSync } from "../../src/device/block-device.js";
import { DiskSync } from "../../src/disk-sync.js";
import { Face } from "../../src/face.js";
import { commit } from "../../src/image/commit.js";
import { MemoryStorage, rawDeviceSync } from "../../src/index.js";
import { rebaseDiskSync } from "../../src/overlay.js";
import { Work } from "../../src/progress.js";
import { runSync } from "../../src/run.js";
import type { StorageSync } from "../../src/storage/storage.js";
import { fitted, Overlays, UNIT } from "../overlay/world.js";
import { firstDifference } from "../support/bytes.js";
import { below, type Random, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { PassingStorage } from "../support/storages.js";
import { FolderWorld, type Left, Unsound, type WorldLimits } from "./folder-world.js";

const { numRuns: wanted, seed: firstSeed = Date.now() % 2 ** 31 } = runs(15_000, 2_000);
const LIMITS: WorldLimits = { losing: "power", exhaustive: 48, sampled: 8, states: 3000 };
const FEATURES = { punch: true, allocate: true };

/** What lies on the medium: an overlay, its base and another one, all of it flushed. */
interface Start {
  files: Map<string, Uint8Array>;
  /** The base is raw, else an image. */
  isRaw: boolean;
  /** What the overlay reads as. */
  model: Uint8Array<ArrayBuffer>;
  /** What the base holds. */
  content: Uint8Array;
  /** Bytes that the guest writes before, and does not flush: sectors may be as before, or these. */
  late: { offset: number; bytes: Uint8Array } | undefined;
}

function storesOf(left: Left): (name: string) => StorageSync {
  return (name) => new MemoryStorage(left.get(name));
}

function open(storage: StorageSync, isRaw: boolean): BlockDeviceSync {
  return isRaw ? rawDeviceSync(storage) : DiskSync.open(storage, { engine: "js" });
}

async function startOf(random: Random): Promise<Start> {
  const world = new Overlays("sync", "js", random);
  const size = world.size(30);
  const isRaw = random() < 0.5;
  const content = world.bytes(isRaw ? world.size(30) : size + UNIT * below(random, 8));
  const store = new MemoryStorage(isRaw ? content : undefined);
  if (!isRaw) {
    const disk = await world.disk(content.length, undefined, store);
    content.fill(0);
    await world.scribble(disk, content, 1 + below(random, 6));
    await disk.close();
  }
  const top = new MemoryStorage();
  const disk = await world.disk(size, open(new MemoryStorage(store.toUint8Array()), isRaw), top);
  const model = fitted(content, size);
  await world.scribble(disk, model, 1 + below(random, 6));
  await disk.close();
  const offset = UNIT * below(random, size / UNIT);
  const bytes = world.bytes(Math.min(size - offset, UNIT * (1 + below(random, 8))));
  const files = new Map([
    ["top", top.toUint8Array()],
    ["base", store.toUint8Array()],
    ["other", world.bytes(world.size(30))],
  ]);
  return { files, isRaw, model, content, late: random() < 0.5 ? { offset, bytes } : undefined };
}

function contentOf(device: BlockDeviceSync): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(device.size);
  device.read(bytes, 0);
  return bytes;
}

/** The overlay over a base, as a program finds it that opens both after the crash, to write on. */
function topOver(base: BlockDeviceSync, stores: (name: string) => StorageSync): Uint8Array {
  return contentOf(DiskSync.open(stores("top"), { engine: "js", base }));
}

function requireSame(what: string, found: Uint8Array, ...wanted: Uint8Array[]): void {
  if (found.length !== wanted[0].length) throw new Error(`${what} has ${found.length} bytes`);
  for (let at = 0; at < found.length; at += UNIT) {
    const sector = found.subarray(at, at + UNIT);
    if (wanted.every((some) => firstDifference(sector, some.subarray(at, at + UNIT)) >= 0))
      throw new Error(`${what} differs in the sector at ${at}`);
  }
}

interface Play {
  start: Start;
  random: Random;
  limits?: Partial<WorldLimits>;
  /** Puts something between a disk and its files. */
  through?: (storage: StorageSync, name: string) => StorageSync;
  /** What the overlay is done to; answers the judge of what must be left afterwards. */
  act(top: DiskSync, files: (name: string) => StorageSync): (left: (name: string) => StorageSync) => void;
}

/** Plays one program; answers how many states were judged. @throws Unsound */
function play({ start, random, limits, through = (storage) => storage, act }: Play): number {
  const { files, isRaw, model, late } = start;
  const after = model.slice();
  if (late) after.set(late.bytes, late.offset);
  let done: ((left: (name: string) => StorageSync) => void) | undefined;
  const judge = (left: Left) => {
    const stores = storesOf(left);
    if (done) done(stores);
    else requireSame("the overlay", topOver(open(stores("base"), isRaw), stores), model, after);
  };
  const world = new FolderWorld(files, FEATURES, { random, limits: { ...LIMITS, ...limits }, judge });
  world.run((folder) => {
    const stores = (name: string) => through(folder.open(name), name);
    const base = open(stores("base"), isRaw);
    const top = DiskSync.open(stores("top"), { engine: "js", base });
    if (late) top.write(late.bytes, late.offset);
    done = act(top, stores);
    world.promise();
    top.close();
    base.close?.();
  });
  return world.visited;
}

/** Commits in windows of few clusters. */
function committing({ isRaw, model, content, late }: Start, random: Random): Play["act"] {
  const keep = random() < 0.2;
  const windowSize = 1 + below(random, 8192);
  const after = model.slice();
  if (late) after.set(late.bytes, late.offset);
  const alone = fitted(content, Math.max(content.length, model.length));
  alone.set(after);
  return (top) => {
    const held = top.allocatedBytes;
    runSync(commit(Face.imageOf(top), { keep, windowSize, work: new Work({}) }));
    expect(top.allocatedBytes).toBe(keep ? held : 0);
    return (left) => {
      const base = open(left("base"), isRaw);
      requireSame("the base alone", contentOf(base), alone);
      requireSame("the overlay", topOver(base, left), ...(keep && late ? [model, after] : [after]));
    };
  };
}

function rebasing({ model, late }: Start): Play["act"] {
  const after = model.slice();
  if (late) after.set(late.bytes, late.offset);
  return (top, files) => {
    rebaseDiskSync(top, rawDeviceSync(files("other")));
    return (left) => requireSame("the overlay", topOver(rawDeviceSync(left("other")), left), after);
  };
}

describe.each(["commit", "rebase"] as const)("A %s that is cut off", (verb) => {
  test("leaves an overlay that reads as before over its base", { timeout: Math.max(600_000, 4 * wanted) }, async () => {
    let [visited, programs] = [0, 0];
    for (let seed = firstSeed; visited < wanted; seed++, programs++) {
      const random = randomFrom(seed);
      const start = await startOf(random);
      const act = verb === "commit" ? committing(start, random) : rebasing(start);
      try {
        visited += play({ start, random, act, limits: { losing: seed % 8 === 0 ? "nothing" : "power" } });
      } catch (error) {
        throw new Error(`${(error as Error).message}\nPARABLOCK_SEED=${seed} plays it again`, { cause: error });
      }
    }
    console.log(`${verb}: ${visited} crash states visited in ${programs} programs (seed ${firstSeed})`);
    expect(visited).toBeGreaterThanOrEqual(wanted);
  });

  test("is caught where a file is not flushed", async () => {
    class Unflushed extends PassingStorage {
      override flush(): void {}
    }
    const forgotten = verb === "commit" ? "base" : "top";
    let caught = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const random = randomFrom(seed);
      const start = await startOf(random);
      const act = verb === "commit" ? committing(start, random) : rebasing(start);
      const through: Play["through"] = (storage, name) => (name === forgotten ? new Unflushed(storage) : storage);
      try {
        play({ start, random, act, through });
      } catch (error) {
        expect(error).toBeInstanceOf(Unsound);
        caught++;
      }
    }
    expect(caught).toBeGreaterThan(3);
  });
});
