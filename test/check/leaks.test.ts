/** Leaks inside an image are counted one by one, whatever the size of clusters and of the pieces that are read. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { DataRange } from "../../src/storage/storage.js";
import { fewCombinations, openDisk } from "../support/faces.js";
import { makeImage } from "../support/image.js";
import { runs } from "../support/runs.js";

/** Tells of holes, in units of 4 KiB, as a file system does. */
class HoleyStorage extends MemoryStorage {
  nextData(offset: number): DataRange | undefined {
    const bytes = this.toUint8Array();
    const first = bytes.findIndex((byte, index) => index >= offset && byte !== 0);
    if (first < 0) return undefined;
    const start = Math.max(offset, first - (first % 4096));
    let end = start - (start % 4096) + 4096;
    while (end < bytes.length && bytes.subarray(end, end + 4096).some((byte) => byte !== 0)) end += 4096;
    return { start, end: Math.min(end, bytes.length) };
  }
}

/** What lies in a host cluster: used by the disk, or free with nothing or with one byte somewhere in it. */
const host = fc.oneof(
  fc.constant("used" as const),
  fc.constant("zeros" as const),
  fc.double({ min: 0, max: 0.999, noNaN: true }),
);
const shapes = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ tracks: fc.constantFrom(1, 3, 8, 63), hosts: fc.array(host, { maxLength: 60 }) }),
  },
  // Clusters that take several pieces.
  { weight: 1, arbitrary: fc.record({ tracks: fc.constantFrom(4096, 5001), hosts: fc.array(host, { maxLength: 4 }) }) },
);

describe.each(fewCombinations)("With $engine, $face, a check", ({ face, engine }) => {
  it("counts the free clusters that hold anything, and a repair frees them and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.boolean(), async ({ tracks, hosts }, holes) => {
        const used = hosts.flatMap((content, index) => (content === "used" ? [index] : []));
        const last = hosts.length; // a cluster in use behind all of them
        const file = makeImage({ format: "v2", tracks, hosts: [...used, last], hostCount: last + 1 });
        const clusterSize = tracks * 512;
        const start = file.length - (last + 1) * clusterSize;
        for (const [index, content] of hosts.entries()) {
          if (content === "used") continue;
          const at = start + index * clusterSize;
          file.fill(0, at, at + clusterSize);
          if (content !== "zeros") file[at + Math.floor(content * clusterSize)] = 1;
        }
        const leaked = hosts.filter((content) => typeof content === "number").length;
        const storage = holes ? new HoleyStorage(file) : new MemoryStorage(file);
        const disk = await openDisk(face, storage, { engine });
        expect(await disk.check()).toMatchObject({ leaks: leaked, corruptions: 0 });
        const { before, after } = await disk.repair("leaks");
        expect([before.leaks, after.leaks]).toEqual([leaked, 0]);
        for (const [guest, index] of [...used, last].entries()) {
          const bytes = new Uint8Array(clusterSize);
          await disk.read(bytes, guest * clusterSize);
          const from = start + index * clusterSize;
          expect(Buffer.compare(bytes, file.subarray(from, from + clusterSize))).toBe(0);
        }
        await disk.close();
      }),
      runs(60, 25),
    );
  });
});
