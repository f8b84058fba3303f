/** Resize while a request of the storage goes wrong: the disk has its old size and content, or the new one, and goes on. */
import { describe, expect, test } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";
import { eachFault, type FaultKind, FaultyStorage } from "../faults/faulty-storage.js";
import { outcomeOf } from "../faults/settled.js";
import { expectFlushFailed, expectInjected, type Setting, settings, titleOf } from "../faults/world.js";
import { firstDifference } from "../support/bytes.js";
import { withExtension } from "../support/extension.js";
import { type AnyDisk, createDisk, openDisk, readRange } from "../support/faces.js";
import { patternBytes, randomFrom } from "../support/random.js";
import { dirtyGranules, readExtension } from "../support/read-extension.js";
import { thorough } from "../support/runs.js";
import { ShuffledStorage } from "../support/storages.js";

const CLUSTER = 512;
/** The BAT has room for 112 entries in its cluster. */
const SIZE = 100 * CLUSTER;
const BASE_SIZE = 130 * CLUSTER + 100;

interface Scenario {
  name: string;
  size: number;
  base?: boolean;
  /** The image has a dirty bitmap. */
  bitmap?: boolean;
}

const scenarios: readonly Scenario[] = [
  { name: "growth in the BAT's room", size: 110 * CLUSTER },
  { name: "growth that moves what is in the BAT's way", size: 400 * CLUSTER },
  { name: "growth over a base", size: 140 * CLUSTER, base: true },
  { name: "cut", size: 3 * CLUSTER },
  { name: "growth of a disk with a bitmap", size: 400 * CLUSTER, bitmap: true },
  { name: "cut of a disk with a bitmap", size: 9 * CLUSTER, bitmap: true },
];

class World {
  readonly faulty: FaultyStorage;
  disk!: AnyDisk;
  allocated = 0;

  private constructor(
    readonly setting: Setting,
    readonly scenario: Scenario,
    image: Uint8Array,
    readonly content: Uint8Array,
  ) {
    this.faulty = new FaultyStorage(new MemoryStorage(image), 0);
  }

  static async make(setting: Setting, scenario: Scenario): Promise<World> {
    const memory = new MemoryStorage();
    const { format, face, engine } = setting;
    const options = { size: SIZE, clusterSize: CLUSTER, format, engine, ...baseOf(scenario) };
    const disk = await createDisk(face, memory, options);
    for (const cluster of [4, 0, 1, 6, 2, 99]) await disk.write(patternBytes(cluster, CLUSTER), cluster * CLUSTER);
    await disk.discard(0, CLUSTER);
    const content = await readRange(disk);
    await disk.close();
    const bytes = memory.toUint8Array();
    const image = scenario.bitmap ? withExtension(bytes, [{ granularity: 2, dirty: [3, 45] }]) : bytes;
    const world = new World(setting, scenario, image, content);
    const { faulty } = world;
    const storage = setting.delayed ? new ShuffledStorage(faulty, randomFrom(1)) : faulty;
    world.disk = await openDisk(face, storage, { engine, ...baseOf(scenario) });
    await world.disk.write(content.subarray(5, 9), 5); // what waits in its line
    world.allocated = world.disk.allocatedBytes;
    return world;
  }

  /** The disk, or the file as it is now, reads as it should at its size. */
  async compare(disk = this.disk): Promise<void> {
    const expected = new Uint8Array(disk.size);
    expected.set(this.content.subarray(0, disk.size));
    expect(firstDifference(await readRange(disk), expected)).toBe(-1);
  }

  /** The bitmap of the closed image is whole: what was dirty, what was written, and what was added. */
  expectBits(): void {
    if (!this.scenario.bitmap) return;
    const [bitmap] = readExtension(this.faulty.memory.toUint8Array())?.bitmaps ?? [];
    const added = Array.from(
      { length: Math.max(0, this.scenario.size - SIZE) / CLUSTER / 2 },
      (_, index) => 50 + index,
    );
    expect(dirtyGranules(bitmap)).toEqual([0, 3, 45, ...added].filter((bit) => 2 * bit * CLUSTER < this.scenario.size));
  }

  async reopen(): Promise<AnyDisk> {
    const memory = new MemoryStorage(this.faulty.memory.toUint8Array());
    return openDisk(this.setting.face, memory, { readOnly: true, ...baseOf(this.scenario) });
  }
}

const baseOf = ({ base }: Scenario) => (base ? { base: new MemoryStorage(patternBytes(77, BASE_SIZE)) } : {});

/** One fault in a resize, and what comes after. Answers whether a request went wrong at all. */
async function survives(world: World, kind: FaultKind, at: number): Promise<boolean> {
  const { faulty, scenario, disk } = world;
  faulty.arm(kind, at);
  const outcome = await outcomeOf(scenario.name, () => disk.resize(scenario.size));
  faulty.disarm();
  if (!outcome.ok) expectInjected(outcome.error, faulty);
  expect(disk.size).toBe(outcome.ok ? scenario.size : SIZE);
  await world.compare();
  const flushed = await outcomeOf("a flush", () => disk.flush());
  if (faulty.struck !== "flush") expect(flushed).toEqual({ ok: true });
  if (flushed.ok) {
    const now = await world.reopen();
    expect(now.size).toBe(disk.size); // a header whose write failed was said again
    await world.compare(now);
    expect(disk.clusterCount).toBe(disk.size / CLUSTER); // what was prepared was given back
    if (!outcome.ok) expect(disk.allocatedBytes).toBe(world.allocated);
    expect(await outcomeOf("another try", () => disk.resize(scenario.size))).toEqual({ ok: true });
    await world.compare();
    await disk.close();
    world.expectBits();
    const closed = await world.reopen();
    await world.compare(closed);
    // What was given up while the storage failed may be waste.
    const { findings } = await closed.check();
    expect(findings.filter(({ kind }) => kind !== "leakedInside" || faulty.struck === undefined)).toEqual([]);
  } else {
    expectFlushFailed(flushed, faulty);
    await disk.abandon();
  }
  return faulty.struck !== undefined;
}

for (const [index, setting] of settings.entries()) {
  describe(`A request of the storage that goes wrong (${titleOf(setting)})`, () => {
    test.each(thorough ? scenarios : scenarios.filter((_, number) => number % settings.length === index))(
      "fails the $name, and the disk goes on at its size",
      async (scenario) => {
        const struck = await eachFault(async (kind, at) => survives(await World.make(setting, scenario), kind, at));
        expect(struck).toBeGreaterThan(10);
      },
    );
  });
}
