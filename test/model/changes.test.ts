/** Every change of guest bytes passes one point, which tells the range: what differs afterwards lies in what was told. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Image } from "../../src/image/image.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { combinations, createDisk, readRange } from "../support/faces.js";
import { patternBytes } from "../support/random.js";
import { runs } from "../support/runs.js";

const SIZE = 40 * 512;

const steps = fc.record({
  verb: fc.constantFrom("write", "write", "writeZeroes", "discard", "flush"),
  offset: fc.nat(SIZE),
  length: fc.nat(6000),
  tag: fc.nat(1000),
});

describe.each(combinations)("What is told of changes ($face face, $engine engine)", ({ face, engine }) => {
  it("covers every byte that is different", async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(steps, { maxLength: 20 }), async (over, list) => {
        const base = over ? { base: new MemoryStorage(patternBytes(5, SIZE - 1500)) } : {};
        const disk = await createDisk(face, new MemoryStorage(), { size: SIZE, clusterSize: 1024, engine, ...base });
        const told = new Uint8Array(SIZE);
        // What watches is no part of the API yet.
        const { image } = disk as unknown as { image: Image };
        image.onChange = (offset, length) => told.fill(1, offset, offset + length);
        for (const { verb, offset, length: wanted, tag } of list) {
          const before = await readRange(disk);
          told.fill(0);
          const length = Math.min(wanted, SIZE - offset);
          if (verb === "write") await disk.write(patternBytes(tag, length), offset);
          else if (verb === "flush") await disk.flush();
          else await disk[verb](offset, length);
          const after = await readRange(disk);
          expect(after.findIndex((byte, at) => byte !== before[at] && told[at] === 0)).toBe(-1);
          if (verb === "flush") expect(told.includes(1)).toBe(false);
        }
        await disk.close();
      }),
      runs(300, 40),
    );
  });
});
