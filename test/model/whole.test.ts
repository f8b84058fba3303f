/**
 * What concerns the whole disk - its size, its bitmaps, compacting it - amid requests in flight: all of it happens as if
 * one thing had been done after the other.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { DiskError } from "../../src/errors.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { engines, readRange } from "../support/faces.js";
import { patternBytes, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { SECTOR } from "../support/sectors.js";
import { ShortStorage, ShuffledStorage } from "../support/storages.js";

const MOST_SECTORS = 60;
const VERBS = [
  "write",
  "write",
  "write",
  "read",
  "writeZeroes",
  "resize",
  "resize",
  "compact",
  "clear",
  "flush",
] as const;

interface Step {
  verb: (typeof VERBS)[number];
  first: number;
  count: number;
  tag: number;
}

/** A request in flight: how it ended. */
interface Flight {
  step: Step;
  /** It was refused: what it named did not lie on the disk, or the whole disk was busy. */
  refused: "range" | "busy" | undefined;
  got: Uint8Array | undefined;
}

/** What a disk holds, and what it held when its bitmap began. */
interface State {
  content: Uint8Array;
  since: Uint8Array;
}

const steps: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom(...VERBS),
  first: fc.nat(MOST_SECTORS - 1),
  count: fc.integer({ min: 1, max: 12 }),
  tag: fc.nat(1_000_000),
});

const plans = fc.record({
  format: fc.constantFrom<"v1" | "v2">("v1", "v2"),
  tracks: fc.constantFrom(1, 2, 7),
  sectors: fc.integer({ min: 1, max: MOST_SECTORS }),
  baseLength: fc.oneof(fc.constant(0), fc.nat(MOST_SECTORS * SECTOR)),
  order: fc.boolean(),
  seed: fc.nat(),
});

const ID = "6c6f636b-0000-4000-8000-000000000001";

function launch(disk: Disk, step: Step, order: boolean): { flight: Flight; done: Promise<void> } {
  const { verb, first, count, tag } = step;
  const flight: Flight = { step, refused: undefined, got: undefined };
  const [offset, length] = [first * SECTOR, count * SECTOR];
  const act = async (): Promise<void> => {
    if (verb === "write") await disk.write(patternBytes(tag, length), offset);
    else if (verb === "writeZeroes") await disk.writeZeroes(offset, length);
    else if (verb === "resize") await disk.resize((first + 1) * SECTOR);
    else if (verb === "compact") await disk.compact({ order });
    else if (verb === "clear") await disk.clearBitmap(ID);
    else if (verb === "flush") await disk.flush();
    else flight.got = await readRange(disk, offset, length);
  };
  const refuse = (error: unknown): void => {
    if (error instanceof RangeError) flight.refused = "range";
    else if (error instanceof DiskError && error.code === "BUSY") flight.refused = "busy";
    else throw error;
  };
  return { flight, done: act().catch(refuse) };
}

/** What becomes of a state by one request; undefined if it ended otherwise than it would have here. */
function after({ content, since }: State, { step, refused, got }: Flight): State | undefined {
  const { verb, first, count, tag } = step;
  const [offset, length] = [first * SECTOR, count * SECTOR];
  if (refused === "busy") return { content, since };
  if (verb === "clear") return { content, since: content };
  if (verb === "resize") {
    const resized = new Uint8Array((first + 1) * SECTOR);
    resized.set(content.subarray(0, resized.length));
    return { content: resized, since };
  }
  if (verb === "compact" || verb === "flush") return { content, since };
  if ((refused === "range") !== offset + length > content.length) return undefined;
  if (refused === "range") return { content, since };
  if (verb === "read") return same(got!, content.subarray(offset, offset + length)) ? { content, since } : undefined;
  const changed = content.slice();
  if (verb === "write") changed.set(patternBytes(tag, length), offset);
  else changed.fill(0, offset, offset + length);
  return { content: changed, since };
}

/** Whether some order of the requests that are left leads to a state that is accepted. */
function explains(state: State, flights: readonly Flight[], accept: (end: State) => boolean): boolean {
  if (flights.length === 0) return accept(state);
  return flights.some((flight, index) => {
    const next = after(state, flight);
    return next !== undefined && explains(next, flights.toSpliced(index, 1), accept);
  });
}

/** Resizing and compacting are refused while the disk is being resized or compacted, and nothing else is. */
function expectBusy(flights: readonly Flight[]): void {
  const alone = flights.filter(({ step: { verb } }) => verb === "resize" || verb === "compact");
  const busy = flights.filter(({ refused }) => refused === "busy");
  expect(busy.every((flight) => alone.includes(flight))).toBe(true);
  if (alone.length > 0) expect(busy.length).toBeLessThan(alone.length);
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** The sectors that differ, or that one of them lacks. */
function changes({ content, since }: State): number[] {
  const sectors = Array.from({ length: content.length / SECTOR }, (_, sector) => sector);
  return sectors.filter(
    (sector) =>
      !same(
        content.subarray(sector * SECTOR, (sector + 1) * SECTOR),
        since.subarray(sector * SECTOR, (sector + 1) * SECTOR),
      ),
  );
}

async function dirtySectors(disk: Disk): Promise<Set<number>> {
  const dirty = new Set<number>();
  for (const { offset, length } of await disk.dirtyRanges(ID))
    for (let sector = offset / SECTOR; sector * SECTOR < offset + length; sector++) dirty.add(sector);
  return dirty;
}

describe.each(engines)("What concerns the whole disk, amid requests in flight (%s engine)", (engine) => {
  it("happens at one moment", async () => {
    const batches = fc.array(fc.array(steps, { maxLength: 5 }), { maxLength: 6, size: "max" });
    const property = fc.asyncProperty(
      plans,
      batches,
      async ({ format, tracks, sectors, order, seed, ...plan }, todo) => {
        const random = randomFrom(seed);
        const memory = new MemoryStorage();
        const storage = new ShuffledStorage(seed % 2 === 0 ? new ShortStorage(memory, random) : memory, random);
        const beneath = patternBytes(77, plan.baseLength);
        const base = plan.baseLength === 0 ? {} : { base: new MemoryStorage(beneath) };
        const size = sectors * SECTOR;
        const disk = await Disk.create(storage, { size, clusterSize: tracks * SECTOR, format, engine, ...base });
        await disk.addBitmap({ id: ID, granularity: SECTOR });
        const content = new Uint8Array(size);
        content.set(beneath.subarray(0, size));
        let state: State = { content, since: content };
        for (const batch of todo) {
          const launched = batch.map((step) => launch(disk, step, order));
          await Promise.all(launched.map(({ done }) => done));
          const found = await readRange(disk);
          const dirty = await dirtySectors(disk);
          const flights = launched.map(({ flight }) => flight);
          expectBusy(flights);
          let end: State | undefined;
          const accept = (candidate: State): boolean => {
            const covered = changes(candidate).every((sector) => dirty.has(sector));
            if (!same(candidate.content, found) || !covered) return false;
            end = candidate;
            return true;
          };
          expect(explains(state, flights, accept), "no serial order explains the result").toBe(true);
          state = end!;
        }
        await disk.close();
        const again = await Disk.open(new MemoryStorage(memory.toUint8Array()), { engine, ...base });
        expect((await again.check()).findings).toEqual([]);
        expect(same(await readRange(again), state.content)).toBe(true);
        const dirty = await dirtySectors(again);
        expect(changes(state).filter((sector) => !dirty.has(sector))).toEqual([]);
        await again.close();
      },
    );
    await fc.assert(property, runs(200, 30));
  });
});
