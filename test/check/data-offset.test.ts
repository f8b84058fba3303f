/** The vote about the header's data offset: who is believed, header or entries, and what comes of it. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { type AnyDisk, combinations, fewCombinations, openDisk, readRange } from "../support/faces.js";
import { FIELD, fieldOf, hostBytes, makeImage, setEntry, setField } from "../support/image.js";
import { runs } from "../support/runs.js";

const TRACKS = 7;
const CLUSTER_SIZE = TRACKS * 512;
const FORMATS: Format[] = ["v1", "v2"];

/** A format extension without features. */
function extension(): Uint8Array {
  const bytes = new Uint8Array(CLUSTER_SIZE);
  new DataView(bytes.buffer).setBigUint64(0, 0xab234cef23dcea87n, true);
  bytes.set(createHash("md5").update(bytes.subarray(24)).digest(), 8);
  return bytes;
}

/** Moves the data offset by clusters and sectors; answers where it was, in sectors. */
function moveOffset(file: Uint8Array, clusters: number, sectors = 0): number {
  const start = fieldOf(file, FIELD.dataOffset);
  setField(file, FIELD.dataOffset, start + clusters * TRACKS + sectors);
  return start;
}

function contentOf(hosts: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(hosts.length * CLUSTER_SIZE);
  for (const [guest, host] of hosts.entries()) if (host >= 0) bytes.set(hostBytes(host, TRACKS), guest * CLUSTER_SIZE);
  return bytes;
}

async function expectContent(disk: AnyDisk, hosts: readonly number[]): Promise<void> {
  expect(firstDifference(await readRange(disk), contentOf(hosts))).toBe(-1);
}

const cases = combinations.flatMap((both) => FORMATS.map((format) => ({ ...both, format })));

describe.each(cases)("A data offset ($format, $face face, $engine engine)", ({ format, face, engine }) => {
  const look = (file: Uint8Array) => openDisk(face, new MemoryStorage(file), { engine, readOnly: true });

  it("that is outvoted: the finding names both places and the votes, the repair sets it", async () => {
    const hosts = [3, 0, -1, 1, 2, 5, -1, 4];
    const file = makeImage({ format, tracks: TRACKS, hosts });
    const start = moveOffset(file, 4);
    const disk = await look(file);
    await expectContent(disk, hosts);
    const message = `the data offset (${start + 28} sectors) is wrong, it should be ${start}: 4 clusters in use lie before it, 2 behind it`;
    const findings = [{ kind: "dataOffset", severity: "corruption", count: 1, message }];
    expect([disk.info.findings, (await disk.check()).findings]).toEqual([findings, findings]);
    const refused = (async () => openDisk(face, new MemoryStorage(file), { engine }))();
    await expect(refused).rejects.toMatchObject({ code: "CORRUPT", details: { findings } });

    const storage = new MemoryStorage(file);
    const mended = await openDisk(face, storage, { engine, repair: "all" });
    expect(mended.repaired).toMatchObject({ before: { findings }, after: { findings: [] } });
    expect(mended.repaired?.backup).toBeUndefined();
    await expectContent(mended, hosts);
    await mended.write(hostBytes(99, TRACKS), 2 * CLUSTER_SIZE);
    await mended.close();
    expect(fieldOf(storage.toUint8Array(), FIELD.dataOffset)).toBe(start);
    const again = await openDisk(face, new MemoryStorage(storage.toUint8Array()), { engine });
    expect(again.info.findings).toEqual([]);
    await expectContent(again, [3, 0, 99, 1, 2, 5, -1, 4]);
    await again.close();
  });

  it("is believed where as many clusters bear it out: what lies below reads as errors, and is dropped", async () => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 1, 2, 3] });
    const start = moveOffset(file, 2);
    const disk = await look(file);
    expect(disk.info).toMatchObject({
      dataOffset: (start + 2 * TRACKS) * 512,
      findings: [{ kind: "below", count: 2 }],
    });
    await expect((async () => readRange(disk, 0, 1))()).rejects.toMatchObject({ code: "BAD_ENTRY" });
    const mended = await openDisk(face, new MemoryStorage(file), { engine, repair: "all" });
    await expectContent(mended, [-1, -1, 2, 3]);
    expect(mended.repaired?.after.corruptions).toBe(0);
    await mended.close();
  });

  it("is not outvoted by entries that share one cluster, nor by such as lead nowhere either way", async () => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 3, -1, -1, -1, -1, -1] });
    moveOffset(file, 2);
    for (const guest of [2, 3]) setEntry(file, guest, fieldOf(file, 64));
    setEntry(file, 4, 0xffffff);
    if (format === "v1") for (const guest of [5, 6]) setEntry(file, guest, fieldOf(file, 64) + guest - 4);
    const { findings } = (await look(file)).info;
    expect(findings.map(({ kind }) => kind)).toEqual(["below", "outside"]);
  });

  it("has the vote of the format extension, too: for it and against it", async () => {
    const behind = makeImage({ format, tracks: TRACKS, hosts: [0], extension: extension() });
    moveOffset(behind, 1);
    expect((await look(behind)).info.findings).toMatchObject([{ kind: "below" }]);

    const image = makeImage({ format, tracks: TRACKS, hosts: [0, 2], hostCount: 1, extension: extension() });
    const before = new Uint8Array([...image, ...hostBytes(2, TRACKS)]);
    moveOffset(before, 2);
    const disk = await openDisk(face, new MemoryStorage(before), { engine, repair: "all" });
    const message = expect.stringMatching(/ 2 clusters in use lie before it, 1 behind it$/);
    expect(disk.repaired).toMatchObject({ before: { findings: [{ kind: "dataOffset", message }] } });
    expect(disk.repaired?.after.findings).toEqual([]);
    expect(disk.info.extension.present).toBe(true);
    await expectContent(disk, [0, 2]);
    await disk.close();
  });
});

const images = fc.record({
  format: fc.constantFrom(...FORMATS),
  hosts: fc
    .uniqueArray(fc.nat(12), { minLength: 1, maxLength: 9 })
    .chain((used) => fc.shuffledSubarray([...used, -1, -1, -1], { minLength: used.length })),
});

describe.each(fewCombinations)("Data offsets of random images ($face face, $engine engine)", ({ face, engine }) => {
  it("are outvoted where more clusters lie below, and then all is read and kept", async () => {
    const property = fc.asyncProperty(images, fc.nat(12), fc.nat(6), async ({ format, hosts }, clusters, rest) => {
      const sectors = format === "v1" ? rest : 0;
      const file = makeImage({ format, tracks: TRACKS, hosts, hostCount: 14 });
      moveOffset(file, clusters, sectors);
      const [below, above] = [
        hosts.filter((host) => host >= 0 && host * TRACKS < clusters * TRACKS + sectors).length,
        hosts.filter((host) => sectors === 0 && host >= clusters).length,
      ];
      const storage = new MemoryStorage(file);
      const disk = await openDisk(face, storage, { engine, repair: "all" });
      const kinds = disk.repaired?.before.findings.map(({ kind }) => kind);
      expect(kinds?.includes("dataOffset")).toBe(below > above);
      if (below > above) await expectContent(disk, hosts);
      await disk.close();
      const again = await openDisk(face, new MemoryStorage(storage.toUint8Array()), { engine, readOnly: true });
      expect(again.info.findings.filter(({ severity }) => severity === "corruption")).toEqual([]);
    });
    await fc.assert(property, runs(1000, 150));
  });

  it("that are right are believed while damage has changed no more entries than it left", async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(120), fc.nat(0xffffffff))), { maxLength: 6 });
    const property = fc.asyncProperty(images, changes, fc.nat(4), async ({ format, hosts }, damage, more) => {
      const file = makeImage({ format, tracks: TRACKS, hosts, hostCount: 14 });
      // Clusters that nothing uses lie before its data area, as where a BAT had room to grow.
      const grown = new Uint8Array(file.length + more * CLUSTER_SIZE);
      grown.set(file.subarray(0, 512));
      grown.set(file.subarray(512), 512 + more * CLUSTER_SIZE);
      moveOffset(grown, more);
      const unit = format === "v1" ? TRACKS : 1;
      for (const [guest, host] of hosts.entries())
        if (host >= 0) setEntry(grown, guest, fieldOf(file, 64 + 4 * guest) + more * unit);
      const harmed = new Set<number>();
      for (const [where, entry] of damage) {
        setEntry(grown, where % hosts.length, entry);
        harmed.add(where % hosts.length);
      }
      const left = hosts.filter((host, guest) => host >= 0 && !harmed.has(guest)).length;
      fc.pre(harmed.size <= left);
      const disk = await openDisk(face, new MemoryStorage(grown), { engine, readOnly: true });
      expect(disk.info.dataOffset).toBe(fieldOf(grown, FIELD.dataOffset) * 512);
      expect(disk.info.findings.map(({ kind }) => kind)).not.toContain("dataOffset");
    });
    await fc.assert(property, runs(1000, 150));
  });
});
