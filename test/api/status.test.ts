/** Status step by step: with a limit, the beginnings of what is left add up to the whole. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Extent } from "../../src/device/block-device.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { type AnyDisk, combinations, openDisk } from "../support/faces.js";
import { makeImage } from "../support/image.js";
import { runs } from "../support/runs.js";

const TRACKS = 1;

/** Host clusters of guest clusters: neighbours, holes, and a long stretch of singles that fills the engine's table. */
const hostLists = fc
  .array(fc.record({ kind: fc.constantFrom("run", "hole", "singles"), count: fc.integer({ min: 1, max: 1500 }) }), {
    maxLength: 5,
  })
  .map((parts) => {
    let next = 0;
    return parts.flatMap(({ kind, count }) =>
      Array.from({ length: count }, () => {
        if (kind === "hole") return -1;
        next += kind === "run" ? 1 : 2;
        return next;
      }),
    );
  });

/** The whole of a disk, at most `limit` runs at a time, put together again. */
async function stepByStep(disk: AnyDisk, limit: number): Promise<Extent[]> {
  const whole: Extent[] = [];
  for (let offset = 0; offset < disk.size; ) {
    const part = await disk.status(offset, disk.size - offset, limit);
    expect(part.length).toBeGreaterThan(0);
    expect(part.length).toBeLessThanOrEqual(limit);
    for (const run of part) {
      expect(run.offset).toBe(offset);
      offset += run.length;
      const last = whole[whole.length - 1];
      const expected = last?.fileOffset === undefined ? undefined : last.fileOffset + last.length;
      const follows = last?.kind === run.kind && last.layer === run.layer && expected === run.fileOffset;
      if (follows) last.length += run.length;
      else whole.push({ ...run });
    }
  }
  return whole;
}

describe.each(combinations)("Status with $engine, $face", ({ face, engine }) => {
  it("with a limit tells of the beginning, and steps add up to the whole", async () => {
    await fc.assert(
      fc.asyncProperty(hostLists, fc.integer({ min: 1, max: 2500 }), fc.nat(4), async (hosts, limit, quarter) => {
        const base = new MemoryStorage(new Uint8Array(Math.floor((hosts.length * TRACKS * 512 * quarter) / 4)));
        const storage = new MemoryStorage(makeImage({ format: "v2", tracks: TRACKS, hosts }));
        const disk = await openDisk(face, storage, { readOnly: true, engine, base });
        // Small limits over many runs take long, and tell nothing more.
        const fewest = Math.ceil(hosts.length / 100);
        expect(await stepByStep(disk, Math.max(limit, fewest))).toEqual(await disk.status(0, disk.size, 2 ** 20));
        await disk.close();
      }),
      runs(25),
    );
  });

  it("refuses a limit that is no number of runs", async () => {
    const disk = await openDisk(face, new MemoryStorage(makeImage({ format: "v2", tracks: 1, hosts: [0, -1] })), {
      engine,
    });
    for (const limit of [0, -1, 1.5, Number.NaN, "2" as unknown as number])
      await expect((async () => disk.status(0, 512, limit))()).rejects.toThrow(/^limit: expected/);
    await disk.close();
  });
});
