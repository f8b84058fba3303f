import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import { FileStorage, FileStorageSync } from "../../src/storage/file.js";
import { expectSame } from "../model/world.js";
import { compactIn } from "../support/compacting.js";
import { type AnyDisk, createDisk, type FaceKind, fewCombinations, openDisk, readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith } from "../support/peers.js";
import { patternBytes } from "../support/random.js";
import { runs } from "../support/runs.js";
import { type MapEntry, qemu, qemuCheck, qemuCompare, qemuConvert, qemuCreate, qemuMap, qemuWrite } from "./qemu.js";

const path = temporaryFolder();

const clusterSizes = fc.constantFrom(512, 4096, 63 * 512, 64 * 1024, 1024 * 1024);

/** A disk of up to 300 clusters, the last one seldom whole, and some ranges of it as fractions. */
const plans = fc
  .record({
    format: fc.constantFrom<Format>("v1", "v2"),
    clusterSize: clusterSizes,
    clusters: fc.integer({ min: 1, max: 300 }),
    cut: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    writes: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(3), fc.nat(70_000)), {
      maxLength: 12,
    }),
    discards: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(4)), { maxLength: 4 }),
  })
  .map(({ clusters, cut, ...plan }) => {
    const count = plan.clusterSize > 500_000 ? Math.ceil(clusters / 10) : clusters;
    return { ...plan, size: count * plan.clusterSize - Math.floor((cut * plan.clusterSize) / 512) * 512 };
  });

type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never;

function rangesOf({ size, clusterSize, writes }: Plan): { offset: number; length: number; byte: number }[] {
  return writes.flatMap(([position, clusters, extra], index) => {
    const offset = Math.min(size - 1, Math.floor(position * size));
    const length = Math.min(size - offset, (clusters * clusterSize) / 2 + extra);
    return length === 0 ? [] : [{ offset, length, byte: 1 + index }];
  });
}

async function fileOf(face: FaceKind, file: string, options = {}): Promise<FileStorage | FileStorageSync> {
  return face === "async" ? FileStorage.open(file, options) : FileStorageSync.open(file, options);
}

/** Writes a plan's ranges with patterns, and discards some clusters; into the disk and the model. */
async function fill(disk: AnyDisk, plan: Plan, model: Uint8Array, tag: number): Promise<void> {
  for (const { offset, length, byte } of rangesOf(plan)) {
    const bytes = patternBytes(tag + byte, length);
    await disk.write(bytes, offset);
    model.set(bytes, offset);
  }
  for (const [position, clusters] of plan.discards) {
    const offset = Math.floor((position * plan.size) / plan.clusterSize) * plan.clusterSize;
    const length = Math.max(0, Math.min(plan.size - offset, clusters * plan.clusterSize));
    await disk.discard(Math.min(offset, plan.size), length);
    model.fill(0, offset, offset + length);
  }
}

/** What QEMU's map says of our disk, in our words. */
async function expectSameMap(disk: AnyDisk, map: readonly MapEntry[]): Promise<void> {
  const ours = (await disk.status()).map((run) =>
    run.kind === "data"
      ? { start: run.offset, length: run.length, data: true, offset: run.fileOffset }
      : { start: run.offset, length: run.length, data: false, offset: undefined },
  );
  expect(map.map(({ start, length, data, offset }) => ({ start, length, data, offset }))).toEqual(ours);
}

async function expectQemuAgrees(image: string, model: Uint8Array): Promise<void> {
  const raw = path("model.raw");
  const converted = path("converted.raw");
  writeFileSync(raw, model);
  qemuCheck(image);
  qemuCompare(image, raw);
  qemuConvert(image, converted);
  expectSame(readFileSync(converted), model, 0);
}

describeWith(qemu, "QEMU", () => {
  describe.each(fewCombinations)("and the $face face with the $engine engine", ({ face, engine }) => {
    it("agree about every byte and every extent of a disk that we wrote", async () => {
      const property = fc.asyncProperty(plans, async (plan) => {
        const image = path("ours.hds");
        const { size, clusterSize, format } = plan;
        const storage =
          face === "async"
            ? await FileStorage.open(image, { create: "replace" })
            : FileStorageSync.open(image, { create: "replace" });
        const disk = await createDisk(face, storage, { size, clusterSize, format, engine });
        const model = new Uint8Array(size);
        await fill(disk, plan, model, 0);
        await disk.close();
        await expectQemuAgrees(image, model);
        const reopened = await openDisk(face, await fileOf(face, image, { readOnly: true }), { engine });
        await expectSameMap(reopened, qemuMap(image));
        await reopened.close();
      });
      await fc.assert(property, runs(8, 4));
    });

    it("agree about a disk that was compacted, and that QEMU then writes on", async () => {
      const property = fc.asyncProperty(
        plans,
        fc.boolean(),
        fc.integer({ min: 1, max: 20 }),
        async (plan, order, window) => {
          const image = path("compacted.hds");
          rmSync(image, { force: true });
          const { size, clusterSize, format } = plan;
          const storage = await fileOf(face, image, { create: "new" });
          const disk = await createDisk(face, storage, { size, clusterSize, format, engine });
          const model = new Uint8Array(size);
          await fill(disk, plan, model, 1);
          await disk.flush();
          const [zeros, end] = [Math.floor(size / 3 / 512) * 512, Math.floor(size / 2)];
          await disk.write(new Uint8Array(end - zeros), zeros);
          model.fill(0, zeros, end);
          const { fileSizeAfter } = await compactIn(disk, window * clusterSize, { order });
          await disk.close();
          expect(statSync(image).size).toBe(fileSizeAfter);
          await expectQemuAgrees(image, model);
          qemuWrite(image, [{ offset: size - 512, length: 512, byte: 77 }]);
          model.fill(77, size - 512);
          await expectQemuAgrees(image, model);
        },
      );
      await fc.assert(property, runs(8, 2));
    });

    it("agree about a disk that QEMU made and wrote, and that we wrote on", async () => {
      const property = fc.asyncProperty(plans, async (plan) => {
        const image = path("theirs.hds");
        const { size, clusterSize } = plan;
        qemuCreate(image, size, clusterSize);
        const model = new Uint8Array(size);
        const writes = rangesOf(plan);
        if (writes.length > 0) qemuWrite(image, writes);
        for (const { offset, length, byte } of writes) model.fill(byte, offset, offset + length);
        const map = qemuMap(image);
        const disk = await openDisk(face, await fileOf(face, image), { engine });
        expect(disk).toMatchObject({ size, clusterSize, format: "v2" });
        expectSame(await readRange(disk), model, 0);
        await expectSameMap(disk, map);
        expect((await disk.check()).findings).toEqual([]);
        await fill(disk, plan, model, 100);
        await disk.close();
        await expectQemuAgrees(image, model);
        // And QEMU goes on where we stopped.
        qemuWrite(image, [{ offset: size - 512, length: 512, byte: 77 }]);
        model.fill(77, size - 512);
        await expectQemuAgrees(image, model);
      });
      await fc.assert(property, runs(8, 4));
    });
  });
});
