/** Images whose clusters lie anywhere, with gaps, zeros and leaks between: compacted in windows of every size. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { expectSame } from "../model/world.js";
import { compactIn } from "../support/compacting.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { makeImage } from "../support/image.js";
import { below, type Random, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { ShuffledStorage } from "../support/storages.js";

interface Plan {
  format: Format;
  tracks: number;
  guests: number;
  /** Places that the file has for each cluster in use. */
  room: number;
  filled: number;
  zeros: number;
  base: boolean;
  order: boolean;
  window: number;
  seed: number;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  format: fc.constantFrom<Format>("v1", "v2"),
  tracks: fc.constantFrom(1, 2, 8, 63),
  guests: fc.integer({ min: 1, max: 150 }),
  room: fc.double({ min: 1, max: 2, noNaN: true }),
  filled: fc.constantFrom(0.1, 0.5, 0.9, 1),
  zeros: fc.constantFrom(0, 0.1, 0.6),
  base: fc.boolean(),
  order: fc.boolean(),
  window: fc.integer({ min: 1, max: 40 }),
  seed: fc.nat(),
});

function shuffled(random: Random, count: number): number[] {
  const items = Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index--) {
    const other = below(random, index + 1);
    [items[index], items[other]] = [items[other], items[index]];
  }
  return items;
}

/** What lies where; every other image has runs. */
function hostsOf({ guests, room, filled, seed }: Plan, random: Random): number[] {
  const places = Math.ceil(guests * room);
  const order =
    seed % 2 === 0 ? shuffled(random, places) : Array.from({ length: places }, (_, place) => (place + 5) % places);
  return Array.from({ length: guests }, (_, guest) => (random() < filled ? order[guest] : -1));
}

function imageOf(
  plan: Plan,
  random: Random,
  hosts: readonly number[],
): { file: Uint8Array<ArrayBuffer>; zero: boolean[] } {
  const { format, tracks, zeros } = plan;
  const hostCount = Math.max(0, ...hosts.map((host) => host + 1)) + below(random, 3);
  const file = makeImage({ format, tracks, hosts, hostCount });
  const start = file.length - hostCount * tracks * 512;
  const zero = hosts.map((host) => host >= 0 && random() < zeros);
  for (const [guest, host] of hosts.entries())
    if (zero[guest]) file.fill(0, start + host * tracks * 512, start + (host + 1) * tracks * 512);
  return { file, zero };
}

describe.each(combinations)("compact of images of any layout ($face face, $engine engine)", ({ face, engine }) => {
  it("leaves no gap and the same content, moves only what is in the way, and then has nothing left to do", async () => {
    const property = fc.asyncProperty(plans, async (plan) => {
      const random = randomFrom(plan.seed);
      const hosts = hostsOf(plan, random);
      const { file, zero } = imageOf(plan, random, hosts);
      const clusterSize = plan.tracks * 512;
      const base = plan.base
        ? new MemoryStorage(new Uint8Array(Math.ceil(plan.guests * clusterSize * 0.6)).fill(3))
        : undefined;
      const memory = new MemoryStorage(file);
      const storage = face === "async" && plan.seed % 3 === 0 ? new ShuffledStorage(memory, random) : memory;
      const disk = await openDisk(face, storage, { engine, ...(base && { base }) });
      const before = await readRange(disk);
      const covered = base === undefined ? 0 : Math.ceil(base.size() / clusterSize);
      const freed = zero.filter((is, guest) => is && guest >= covered).length;
      const left = hosts.filter((host, guest) => host >= 0 && !(zero[guest] && guest >= covered));
      const options = { order: plan.order };
      const foreseen = await compactIn(disk, plan.window * clusterSize, { ...options, dryRun: true });
      const report = await compactIn(disk, plan.window * clusterSize, options);
      const misplaced = plan.order
        ? left.filter((host, rank) => host !== rank).length
        : left.filter((host) => host >= left.length).length;
      expect(foreseen).toMatchObject({ zeroClusters: freed, movedClusters: misplaced });
      expect(report).toEqual({ ...foreseen, movedClusters: report.movedClusters });
      expect(report.movedClusters).toBeGreaterThanOrEqual(misplaced > 0 ? 1 : 0);
      expect(report.movedClusters).toBeLessThanOrEqual(plan.order ? 2 * misplaced : misplaced);
      expect(report.fileSizeAfter).toBe(disk.info.dataOffset + left.length * clusterSize);
      expect(memory.size()).toBe(report.fileSizeAfter);
      expectSame(await readRange(disk), before, 0);
      const check = await disk.check();
      expect(check).toMatchObject({ leaks: 0, corruptions: 0, allocatedClusters: left.length });
      if (plan.order) expect(check.fragmentedClusters).toBe(0);
      const after = memory.toUint8Array();
      expect(await compactIn(disk, 1, options)).toMatchObject({ zeroClusters: 0, freeClusters: 0, movedClusters: 0 });
      expectSame(memory.toUint8Array(), after, 0);
      await disk.close();
    });
    await fc.assert(property, runs(150, 12));
  });
});
