import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import { FileStorage, FileStorageSync } from "../../src/storage/file.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { type AnyDisk, createDisk, fewCombinations, openDisk, readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, fixtures, readFixture, runTool, testWith } from "../support/peers.js";
import { patternBytes } from "../support/random.js";
import { dirtyGranules, readExtension } from "../support/read-extension.js";
import { qemu, qemuCheck, qemuMap } from "./qemu.js";

const path = temporaryFolder();

const PARALLELS_DESKTOP = "expanding.hdd/expanding.hdd.0.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds.gz";
const MIB = 1024 * 1024;

/** From the fixtures' README. */
const disks = [
  { name: "parallels-v1.hds.gz", size: 2 * MIB, format: "v1", guestMd5: "9a4fe3bc73937297651d080f4cd26fc5" },
  { name: "parallels-v2.hds.gz", size: 2 * MIB, format: "v2", guestMd5: "9a4fe3bc73937297651d080f4cd26fc5" },
  { name: PARALLELS_DESKTOP, size: 100 * MIB, format: "v1", guestMd5: "13b7616dd9aede47013ac706573b7fef" },
];
const WITH_BITMAP = "parallels-with-bitmap.hds.gz";
const WITH_BITMAP_MD5 = "385ada6546aba21094f60a1e920b421d";

async function guestMd5(disk: AnyDisk): Promise<string> {
  const hash = createHash("md5");
  const buffer = new Uint8Array(16 * MIB);
  for (let offset = 0; offset < disk.size; offset += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, disk.size - offset));
    await disk.read(part, offset);
    hash.update(part);
  }
  return hash.digest("hex");
}

const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");

/** Copies what is allocated from one disk to another of the same size. */
async function copy(from: AnyDisk, to: AnyDisk): Promise<void> {
  for (const run of await from.status()) {
    if (run.kind !== "data") continue;
    await to.write(await readRange(from, run.offset, run.length), run.offset);
  }
}

describeWith([fixtures], "Disks that other software wrote", () => {
  describe.each(fewCombinations)("($face face, $engine engine)", ({ face, engine }) => {
    const open = (name: string, readOnly = true) =>
      openDisk(face, new MemoryStorage(readFixture(name)), { engine, readOnly });

    it.each(disks)(
      "read to the bytes that their makers see: $name",
      async ({ name, size, format, guestMd5: expected }) => {
        const disk = await open(name);
        expect(disk).toMatchObject({ size, format });
        expect((await disk.check()).corruptions).toBe(0);
        expect(await guestMd5(disk)).toBe(expected);
        await disk.close();
      },
    );

    it("map as their BATs say", async () => {
      const v1 = await (await open("parallels-v1.hds.gz")).status();
      const v2 = await (await open("parallels-v2.hds.gz")).status();
      const data = { offset: 0, length: 4 * 64 * 1024, kind: "data", layer: 0, fileOffset: 64 * 1024 };
      const zero = { offset: 4 * 64 * 1024, length: 28 * 64 * 1024, kind: "zero", layer: 0 };
      expect(v1).toEqual([data, zero]);
      expect(v2).toEqual(v1);
      const desktop = await open(PARALLELS_DESKTOP);
      expect(desktop.allocatedBytes).toBe(99 * MIB);
      expect((await desktop.status())[0]).toEqual({ offset: 0, length: MIB, kind: "zero", layer: 0 });
    });

    it("may have a format extension, whose bitmap knows what we write", async () => {
      const file = readFixture(WITH_BITMAP);
      const extension = new DataView(file.buffer, file.byteOffset).getUint32(56, true) * 512;
      const memory = new MemoryStorage(file);
      const disk = await openDisk(face, memory, { engine });
      expect(disk.size).toBe(64 * 1024 * MIB);
      expect(await disk.status()).toEqual([{ offset: 0, length: disk.size, kind: "zero", layer: 0 }]);
      expect(disk.info.extension).toEqual({ present: true, offset: extension });
      expect(disk.info.findings.filter(({ severity }) => severity === "corruption")).toEqual([]);
      const bytes = patternBytes(1, 8 * disk.clusterSize);
      await disk.write(bytes, 12345);
      await disk.discard(0, disk.size);
      await disk.flush();
      await disk.write(bytes, 12345);
      await disk.close();
      const after = memory.toUint8Array();
      const own = after.subarray(extension, extension + disk.clusterSize);
      expect(md5(own)).toBe(md5(file.subarray(extension, extension + disk.clusterSize))); // bits are set in place
      const [bitmap] = readExtension(after)!.bitmaps;
      const changed = Array.from({ length: 9 * 16 }, (_, granule) => granule); // nine clusters; what it said before lies in there
      expect(dirtyGranules(bitmap)).toEqual(changed);
      const reopened = await openDisk(face, new MemoryStorage(after), { engine });
      expect(md5(await readRange(reopened, 12345, bytes.length))).toBe(md5(bytes));
      expect(reopened.info.findings).toEqual([]);
    });

    it.each([...disks.map(({ name }) => name), WITH_BITMAP])(
      "stay as they are when opened for writing and closed without a change: %s",
      async (name) => {
        const image = path("unchanged.hds");
        const file = readFixture(name);
        writeFileSync(image, file);
        const storage: Storage = face === "async" ? await FileStorage.open(image) : FileStorageSync.open(image);
        const disk = await openDisk(face, storage, { engine });
        await disk.read(new Uint8Array(4096), 0);
        await disk.write(new Uint8Array(0), 0);
        await disk.flush();
        await disk.close();
        expect(md5(readFileSync(image))).toBe(md5(file));
      },
    );

    it.each<Format>(["v1", "v2"])("come through a copy into a new disk (%s)", async (format) => {
      const original = await open(PARALLELS_DESKTOP);
      const { size, clusterSize } = original;
      const memory = new MemoryStorage();
      const made = await createDisk(face, memory, { size, clusterSize: clusterSize / 2, format, engine });
      await copy(original, made);
      expect(await guestMd5(made)).toBe(disks[2].guestMd5);
      await made.close();
      const reopened = await openDisk(face, new MemoryStorage(memory.toUint8Array()), { engine, readOnly: true });
      expect(await guestMd5(reopened)).toBe(disks[2].guestMd5);
      expect(reopened.allocatedBytes).toBe(99 * MIB);
      expect(reopened.info.findings).toEqual([]);
    });
  });

  testWith(qemu, "map, and come through a copy, as QEMU sees it", async () => {
    const [image, copied] = [path("original.hds"), path("copied.hds")];
    writeFileSync(image, readFixture(PARALLELS_DESKTOP));
    const original = await openDisk("sync", FileStorageSync.open(image, { readOnly: true }), {});
    const data = (await original.status()).filter((run) => run.kind === "data");
    const theirs = qemuMap(image).filter((entry) => entry.data);
    expect(theirs.map(({ start, length, offset }) => ({ start, length, offset }))).toEqual(
      data.map(({ offset, length, fileOffset }) => ({ start: offset, length, offset: fileOffset })),
    );
    const storage = FileStorageSync.open(copied, { create: "new" });
    const made = await createDisk("sync", storage, { size: original.size });
    await copy(original, made);
    await made.close();
    await original.close();
    qemuCheck(copied);
    runTool("qemu-img", "compare", "-f", "parallels", "-F", "parallels", image, copied);
  });

  // 64 GiB of zeros take two minutes to hash: only where long runs are asked for.
  it.runIf(Number(process.env.PARABLOCK_RUNS ?? 1) > 1)(
    "read to the bytes that their makers see, 64 GiB of them (two minutes: with PARABLOCK_RUNS=2)",
    async () => {
      const disk = await openDisk("sync", new MemoryStorage(readFixture(WITH_BITMAP)), { readOnly: true });
      expect(await guestMd5(disk)).toBe(WITH_BITMAP_MD5);
    },
    600_000,
  );
});
