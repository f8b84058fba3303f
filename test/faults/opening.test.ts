import { describe, expect, test } from "vitest";
import { Disk } from "../../src/disk.js";
import { DiskSync } from "../../src/disk-sync.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { type AnyDisk, createDisk, openDisk } from "../support/faces.js";
import { patternBytes } from "../support/random.js";
import { eachFault, FaultyStorage } from "./faulty-storage.js";
import { CLUSTER, type Sample, type Scenario, SIZE } from "./scenarios.js";
import { outcomeOf } from "./settled.js";
import { expectInjected, type Setting, sampleFor, settings, titleOf, World } from "./world.js";

const READING: Scenario = { name: "reading", act: (disk) => disk.read(new Uint8Array(SIZE), 0) };
const UNCLEAN: Scenario = { ...READING, unclean: true };
const BASE: Scenario = { ...READING, base: true };

/** Where the BAT says where cluster 6 lies, and what it says in a damaged image. */
const LOST_ENTRY = 64 + 4 * 6;
const NOWHERE = 0xffffff00;

const OPENINGS = [
  { name: "opening for writing", scenario: READING, options: {} },
  { name: "opening over a base", scenario: BASE, options: {} },
  { name: "opening for reading", scenario: READING, options: { readOnly: true } },
  { name: "opening an image that nobody closed", scenario: UNCLEAN, options: {} },
  { name: "freeing leaks at opening", scenario: { ...UNCLEAN, damage: leak }, options: { repair: "leaks" } },
  { name: "a repair at opening", scenario: { ...READING, damage }, options: { repair: "all" } },
  { name: "a repair of an unclean image", scenario: { ...UNCLEAN, damage }, options: { repair: "all" } },
] as const;

for (const setting of settings) {
  describe(`a request that goes wrong while a disk is made (${titleOf(setting)})`, () => {
    test.each(OPENINGS)("fails $name, and closes the storage once", async ({ scenario, options }) => {
      const sample = await damagedSample(setting, scenario);
      const struck = await eachFault(async (kind, at) => {
        const world = new World(setting, scenario, sample);
        const storage = world.storage();
        world.faulty.arm(kind, at);
        const open = async () => openDisk(setting.face, storage, { ...world.options(), ...options });
        await expectMadeOrClosed(world.faulty, open);
        const again = await world.reopen(options);
        world.disk = again;
        await world.compare();
        expect((await again.check()).corruptions).toBe(0);
        await again.close();
        return world.faulty.struck !== undefined;
      });
      expect(struck).toBeGreaterThan(0);
    });

    test("fails creating, and closes the storage once", async () => {
      const struck = await eachFault(async (kind, at) => {
        const faulty = new FaultyStorage(new MemoryStorage(patternBytes(1, 2 * CLUSTER)));
        faulty.arm(kind, at);
        const { face, format, engine } = setting;
        const options = { size: SIZE, clusterSize: CLUSTER, format, engine };
        await expectMadeOrClosed(faulty, async () => createDisk(face, faulty, options));
        // What half a creation leaves can be created over.
        const disk = await createDisk(face, new MemoryStorage(faulty.memory.toUint8Array()), options);
        expect((await disk.check()).findings).toEqual([]);
        await disk.close();
        return faulty.struck !== undefined;
      });
      expect(struck).toBeGreaterThan(0);
    });

    test("fails undoing a repair, and closes the storage once", async () => {
      const sample = await damagedSample(setting, { ...READING, damage });
      const mended = new FaultyStorage(new MemoryStorage(sample.image));
      const disk = await openDisk(setting.face, mended, { repair: "all" });
      const backup = disk.repaired!.backup as Uint8Array;
      await disk.close();
      await eachFault(async (kind, at) => {
        const faulty = new FaultyStorage(new MemoryStorage(mended.memory.toUint8Array()));
        faulty.arm(kind, at);
        const outcome = await outcomeOf("undoing", () => undo(setting, faulty, backup));
        if (!outcome.ok) expectInjected(outcome.error, faulty);
        expect(faulty).toMatchObject({ closes: 1, tooLate: 0 });
        const again = new MemoryStorage(faulty.memory.toUint8Array());
        await undo(setting, again, backup);
        const view = new DataView(again.toUint8Array().buffer);
        expect(view.getUint32(LOST_ENTRY, true)).toBe(NOWHERE);
        return faulty.struck !== undefined;
      });
    });
  });
}

const undo = ({ face }: Setting, storage: FaultyStorage | MemoryStorage, backup: Uint8Array) =>
  face === "sync" ? DiskSync.undoRepair(storage, backup) : Disk.undoRepair(storage, backup);

/** Making a disk either works, and closing it closes the storage, or fails with the injected error, and has closed it. */
async function expectMadeOrClosed(faulty: FaultyStorage, make: () => Promise<AnyDisk>): Promise<void> {
  let disk: AnyDisk | undefined;
  const outcome = await outcomeOf("making the disk", async () => {
    disk = await make();
  });
  faulty.disarm();
  if (!outcome.ok) expectInjected(outcome.error, faulty);
  expect(faulty.closes).toBe(outcome.ok ? 0 : 1);
  await disk?.close();
  expect(faulty).toMatchObject({ closes: 1, tooLate: 0 });
}

/** A sample whose content is what the image reads as when it is mended. */
async function damagedSample(setting: Setting, scenario: Scenario): Promise<Sample> {
  const sample = await sampleFor(setting, setting.format, scenario);
  if (scenario.damage !== damage) return sample;
  sample.content.fill(0, 6 * CLUSTER, 7 * CLUSTER);
  sample.content.copyWithin(8 * CLUSTER, 4 * CLUSTER, 5 * CLUSTER);
  return sample;
}

/** One entry that leads nowhere, and two that share a cluster. */
function damage(image: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(image.buffer);
  view.setUint32(LOST_ENTRY, NOWHERE, true);
  view.setUint32(64 + 4 * 8, view.getUint32(64 + 4 * 4, true), true);
  return image;
}

function leak(image: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(image.length + 2 * CLUSTER).fill(9);
  longer.set(image);
  return longer;
}
