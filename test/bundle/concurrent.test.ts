/**
 * Requests of an open disk while its bundle's verbs are under way: none is lost, each takes effect before or after, and a
 * snapshot holds what had completed before it was asked for, and nothing that began after it was there.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bundle } from "../../src/bundle.js";
import type { Folder, Storage } from "../../src/index.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { patternBytes, type Random, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { ShuffledStorage } from "../support/storages.js";

const SECTOR = 512;
const SECTORS = 48;

/** A folder whose files answer in any order. */
function shuffled(folder: MemoryFolder, random: Random): Folder {
  const late = async <T>(answer: () => T): Promise<T> => {
    for (let turns = Math.floor(random() * 4); turns > 0; turns--) await Promise.resolve();
    return answer();
  };
  const slow = (storage: Storage): Storage => new ShuffledStorage(storage as never, random);
  return {
    list: () => late(() => folder.list()),
    open: (name, options) => late(() => slow(folder.open(name, options))),
    create: (name) => late(() => slow(folder.create(name))),
    rename: (from, to) => late(() => folder.rename(from, to)),
    remove: (name) => late(() => folder.remove(name)),
    sync: () => late(() => folder.sync()),
  };
}

/** What each sector was made of: numbers of writes, in the order in which they began; those to one sector never overlap. */
class Guest {
  readonly begun: number[][] = Array.from({ length: SECTORS }, () => [0]);
  readonly completed: number[] = new Array(SECTORS).fill(0);
  #busy = new Set<number>();
  #next = 1;

  async write(disk: { write(bytes: Uint8Array, offset: number): Promise<void> }, sector: number): Promise<void> {
    if (this.#busy.has(sector)) return;
    this.#busy.add(sector);
    const number = this.#next++;
    this.begun[sector].push(number);
    await disk.write(patternBytes(number, SECTOR), sector * SECTOR);
    this.completed[sector] = number;
    this.#busy.delete(sector);
  }
}

const contentOf = (number: number): Uint8Array =>
  number === 0 ? new Uint8Array(SECTOR) : patternBytes(number, SECTOR);

const plans = fc.record({
  seed: fc.integer(),
  clusterSectors: fc.constantFrom(1, 3, 8),
  split: fc.constantFrom(undefined, 16 * SECTOR),
  plain: fc.boolean(),
  verbs: fc.array(fc.constantFrom("create", "create", "delete", "flush"), { minLength: 1, maxLength: 8 }),
});

describe("An open disk of a bundle", () => {
  it("loses no write while snapshots are taken and deleted, and a snapshot has what it must", async () => {
    await fc.assert(
      fc.asyncProperty(plans, async ({ seed, clusterSectors, split, plain, verbs }) => {
        const random = randomFrom(seed);
        const memory = new MemoryFolder();
        const options = { size: SECTORS * SECTOR, clusterSize: clusterSectors * SECTOR, split, plain };
        const bundle = await Bundle.create(shuffled(memory, random), options);
        const disk = await bundle.openDisk();
        const guest = new Guest();
        /** For each snapshot the writes that it must have at least, and those that it may have. */
        const bounds = new Map<string, { least: number[]; most: number[][] }>();
        let running = true;
        const writing = Array.from({ length: 6 }, async () => {
          while (running) {
            await guest.write(disk, Math.floor(random() * SECTORS));
            for (let turns = Math.floor(random() * 6); turns > 0; turns--) await Promise.resolve();
          }
        });
        try {
          for (const verb of verbs) {
            for (let turns = 0; turns < 30; turns++) await Promise.resolve();
            const guids = [...bounds.keys()];
            const chosen = guids[Math.floor(random() * guids.length)];
            if (verb === "flush") await disk.flush();
            else if (verb === "create") {
              const least = [...guest.completed];
              const guid = await bundle.createSnapshot();
              bounds.set(guid, { least, most: guest.begun.map((numbers) => [...numbers]) });
            } else if (chosen !== undefined) {
              await bundle.deleteSnapshot(chosen);
              bounds.delete(chosen);
            }
          }
        } finally {
          running = false;
          await Promise.all(writing);
        }
        await disk.close();
        const sync = await Bundle.open(memory);
        const now = await sync.openDisk({ readOnly: true });
        for (let sector = 0; sector < SECTORS; sector++)
          expect(await sectorOf(now, sector)).toEqual(contentOf(guest.completed[sector]));
        await now.close();
        for (const [snapshot, { least, most }] of bounds) {
          const then = await sync.openDisk({ snapshot });
          for (let sector = 0; sector < SECTORS; sector++) {
            const found = await sectorOf(then, sector);
            const allowed = most[sector].filter((number) => number >= least[sector]);
            expect(allowed.some((number) => Buffer.compare(found, contentOf(number)) === 0)).toBe(true);
          }
          await then.close();
        }
        await sync.close();
      }),
      runs(300, 15),
    );
  });
});

async function sectorOf(disk: { read(bytes: Uint8Array, offset: number): Promise<void> }, sector: number) {
  const bytes = new Uint8Array(SECTOR);
  await disk.read(bytes, sector * SECTOR);
  return bytes;
}
