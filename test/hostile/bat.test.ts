import { describe, expect, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { CLOSED_V21, sealed } from "../support/extension.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { FIELD, fieldOf, hostBytes, makeImage, setEntry, setField } from "../support/image.js";
import { examine, openError } from "./suspect.js";

const formats: Format[] = ["v1", "v2"];
const TRACKS = 8;
const CLUSTER_SIZE = TRACKS * 512;

const cases = combinations.flatMap((combination) => formats.map((format) => ({ ...combination, format })));

describe.each(cases)("A damaged BAT ($format, $face face, $engine engine)", ({ format, face, engine }) => {
  const unit = format === "v1" ? TRACKS : 1;
  /** Guest clusters 0 to 3 in order, and the entry that leads to host cluster 0. */
  const make = () => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 1, 2, 3, -1] });
    return { file, origin: fieldOf(file, 64) };
  };
  const open = (file: Uint8Array, readOnly: boolean) => openDisk(face, new MemoryStorage(file), { engine, readOnly });

  async function expectFinding(file: Uint8Array, kind: string, count = 1): Promise<void> {
    const finding = { kind, count, severity: "corruption", message: expect.stringMatching(/./) };
    expect(await openError(() => open(file, false))).toMatchObject({
      code: "CORRUPT",
      details: { findings: [finding] },
    });
    const disk = await open(file, true);
    const report = await disk.check();
    expect(report.findings).toContainEqual(expect.objectContaining(finding));
    expect(report.corruptions).toBe(count);
    await examine(file, face, engine);
  }

  it.each([1, 2, 1000])(
    "with an entry %i clusters beyond the file is an error there, and only there",
    async (beyond) => {
      const { file, origin } = make();
      setEntry(file, 2, origin + (3 + beyond) * unit);
      await expectFinding(file, "outside");
      const disk = await open(file, true);
      expect(await readRange(disk, 0, 2 * CLUSTER_SIZE)).toEqual(
        new Uint8Array([...hostBytes(0, TRACKS), ...hostBytes(1, TRACKS)]),
      );
      await expect(readRange(disk, 0, 4 * CLUSTER_SIZE)).rejects.toMatchObject({
        code: "BAD_ENTRY",
        details: { cluster: 2, fileOffset: (origin + (3 + beyond) * unit) * (format === "v1" ? 512 : CLUSTER_SIZE) },
      });
    },
  );

  it("names the cluster that is bad, not the beginning of its run", async () => {
    const { file } = make();
    const cut = file.subarray(0, file.length - CLUSTER_SIZE);
    await expectFinding(cut, "outside");
    const disk = await open(cut, true);
    await expect(readRange(disk, 0, disk.size)).rejects.toMatchObject({
      code: "BAD_ENTRY",
      details: { cluster: 3, fileOffset: cut.length },
    });
  });

  it("whose last cluster is cut short by the file's end is damaged", async () => {
    for (const cut of [1, 512, CLUSTER_SIZE - 1]) {
      const { file } = make();
      await expectFinding(file.subarray(0, file.length - cut), "outside");
    }
  });

  it("with entries below the data area reports them, and reads them as errors", async () => {
    const { file } = make();
    setField(file, FIELD.dataOffset, 2 * TRACKS);
    await expectFinding(file, "below");
    const disk = await open(file, true);
    await expect(readRange(disk, 0, 1)).rejects.toMatchObject({ code: "BAD_ENTRY", details: { cluster: 0 } });
    expect(await readRange(disk, CLUSTER_SIZE, CLUSTER_SIZE)).toEqual(new Uint8Array(hostBytes(1, TRACKS)));
  });

  if (format === "v1")
    it("whose cluster begins before the data area reads as an error to its end", async () => {
      const { file, origin } = make();
      setEntry(file, 0, origin - 3);
      const disk = await open(file, true);
      for (const at of [0, CLUSTER_SIZE - 1])
        await expect(readRange(disk, at, 1)).rejects.toMatchObject({ code: "BAD_ENTRY", details: { cluster: 0 } });
      expect(await readRange(disk, CLUSTER_SIZE, CLUSTER_SIZE)).toEqual(new Uint8Array(hostBytes(1, TRACKS)));
    });

  it("with two entries that share a cluster reports it, the last entry included", async () => {
    for (const last of [3, 4]) {
      const { file, origin } = make();
      setEntry(file, last, origin);
      if (last === 3) setEntry(file, 4, origin + 3 * unit);
      await expectFinding(file, "duplicate");
    }
  });

  // Entries of v2 count clusters: none lies between two.
  if (format === "v1")
    it("with an entry between clusters reports it", async () => {
      const { file, origin } = make();
      setEntry(file, 1, origin + unit + 3);
      await expectFinding(file, "offGrid");
    });

  it("that is all ones reports every entry, and reads as errors", async () => {
    const { file } = make();
    for (let cluster = 0; cluster < 5; cluster++) setEntry(file, cluster, 0xffffffff);
    await expectFinding(file, "outside", 5);
  });

  it("that is too small for the disk reports it", async () => {
    const { file } = make();
    setField(file, FIELD.batEntries, 4);
    await expectFinding(file, "batTooSmall");
  });
});

describe.each(cases)("A hostile extension ($format, $face face, $engine engine)", ({ format, face, engine }) => {
  const magic = (high: number, low: number) => [low, high];
  const EXTENSION = magic(0xab234cef, 0x23dcea87);
  const BITMAP = magic(0x20385fae, 0x252cb34a);
  const none = [0, 0, 0, 0];

  /** A cluster of u32 words, with the checksum of an extension: nothing but what is named is wrong. */
  const cluster = (...words: number[]): Uint8Array => {
    const bytes = new Uint8Array(CLUSTER_SIZE);
    bytes.set(new Uint8Array(new Uint32Array(words).buffer));
    return sealed(bytes);
  };
  const section = (size: number, ...data: number[]) =>
    cluster(...EXTENSION, ...none, ...BITMAP, 0, 0, size, 0, ...data);

  it.each<[string, Uint8Array]>([
    ["has no magic number", cluster(1, 2, 3)],
    ["has a section longer than its cluster", section(0xffffffff)],
    ["has a section that just passes its cluster", section(CLUSTER_SIZE - 47)],
    ["has a bitmap section too short for a bitmap", section(31, 40, 0, 0, 0, 0, 0, 1, 0)],
    ["has a bitmap table longer than its section", section(40, 40, 0, 0, 0, 0, 0, 1, 2)],
    ["has a bitmap table of 2^32 - 1 entries", section(40, 40, 0, 0, 0, 0, 0, 1, 0xffffffff)],
    ["has a bitmap outside the file", section(40, 40, 0, 0, 0, 0, 0, 1, 1, 0x7ffffff8, 0)],
    ["has a bitmap beyond exact numbers", section(40, 40, 0, 0, 0, 0, 0, 1, 1, 0, 0xffffffff)],
    ["has a bitmap off the grid", section(40, 40, 0, 0, 0, 0, 0, 1, 1, 9, 0)],
    ["has a bitmap in a cluster of the disk", section(40, 40, 0, 0, 0, 0, 0, 1, 1, TRACKS, 0)],
    ["has a bitmap in its own cluster", section(40, 40, 0, 0, 0, 0, 0, 1, 1, 5 * TRACKS, 0)],
    ["has a necessary feature that nobody knows", cluster(...EXTENSION, ...none, 5, 5, 1, 0, 0, 0)],
  ])("that %s is read around, and not written to", async (name, extension) => {
    const header = { inUse: CLOSED_V21 };
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 1, 2, 3, -1], extension, header });
    await examine(file, face, engine);
    const error = await openError(() => openDisk(face, new MemoryStorage(file), { engine }));
    const kind = name.startsWith("has a bitmap") ? "bitmap" : "extension";
    expect(error).toMatchObject({ code: "CORRUPT", details: { findings: [{ kind, count: 1 }] } });
  });

  it.each([1, 3, 8, 5 * TRACKS, 0x7fffffff, 0xfffffff])("offset of %i sectors is read around", async (sector) => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 1, 2, 3, -1] });
    setField(file, FIELD.extensionLow, sector);
    await examine(file, face, engine);
    const error = await openError(() => openDisk(face, new MemoryStorage(file), { engine }));
    expect(error).toMatchObject({ code: "CORRUPT", details: { findings: [{ kind: "extension" }] } });
  });
});
