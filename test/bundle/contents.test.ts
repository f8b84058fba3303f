/** Bundles by other hands read right in both faces and engines; those that must be refused are, whole, and nothing stays open. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { BundleDisk, BundleDiskSync } from "../../src/bundle/disks.js";
import { Bundle, BundleSync } from "../../src/bundle.js";
import { FileFolder, FileFolderSync } from "../../src/node.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { combinations, type FaceKind, fewCombinations } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, fixtures, fixturesFolder, readFixture, runTool, tool } from "../support/peers.js";
import { patternBytes } from "../support/random.js";
import { CAUSES, IMAGE_CAUSES } from "./causes.js";
import { meaningOf } from "./meaning.js";

const path = temporaryFolder();
const folder = path("bundles");

interface Expected {
  good: Record<string, { size: number; states: Record<string, string>; top: string }>;
  bad: Record<string, string>;
}

const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

const filesOf = (name: string) =>
  readdirSync(join(folder, `${name}.hdd`)).map(
    (file) => [file, readFileSync(join(folder, `${name}.hdd`, file))] as const,
  );

async function openFolder(face: FaceKind, name: string): Promise<FileFolder | FileFolderSync> {
  return face === "async" ? FileFolder.open(join(folder, name)) : FileFolderSync.open(join(folder, name));
}

async function openIn(
  face: FaceKind,
  place: FileFolder | FileFolderSync | MemoryFolder,
  engine: "wasm" | "js",
): Promise<Bundle | BundleSync> {
  return face === "async" ? Bundle.open(place, { engine }) : BundleSync.open(place as MemoryFolder, { engine });
}

/** The md5 of every snapshot's content. */
async function statesOf(
  bundle: Bundle | BundleSync,
  live?: BundleDisk | BundleDiskSync,
): Promise<Record<string, string>> {
  const states: Record<string, string> = {};
  for (const { guid, top } of bundle.snapshots) {
    const own = top ? live : undefined;
    const disk = own ?? (await bundle.openDisk({ snapshot: guid, readOnly: true }));
    const bytes = new Uint8Array(disk.size).fill(0xa5);
    await disk.read(bytes, 0);
    if (own === undefined) await disk.close();
    states[guid] = md5(bytes);
  }
  return states;
}

/** Whether nobody has any of the files open. */
async function expectFree(place: FileFolder | FileFolderSync | MemoryFolder): Promise<void> {
  for (const name of await place.list()) await (await place.open(name)).close();
}

describeWith([fixtures, tool("python3")], "Bundles of known content", () => {
  let expected: Expected;
  beforeAll(() => {
    runTool("python3", join(fixturesFolder, "bundles.py"), folder);
    expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));
  });

  test.each(fewCombinations)("read every snapshot right ($face face, $engine engine)", async ({ face, engine }) => {
    for (const [name, { states }] of Object.entries(expected.good)) {
      const place = await openFolder(face, `${name}.hdd`);
      for (const one of [place, new MemoryFolder(filesOf(name))]) {
        const bundle = await openIn(face, one, engine);
        expect([name, await statesOf(bundle)]).toEqual([name, states]);
        await bundle.close();
        await expectFree(one);
      }
    }
  });

  test.each(fewCombinations)(
    "go through snapshots, merges and switches, by any hand ($face face, $engine engine)",
    async ({ face, engine }) => {
      for (const [name, { states, size, top }] of Object.entries(expected.good)) {
        const place = new MemoryFolder(filesOf(name));
        const bundle = await openIn(face, place, engine);
        const disk = await bundle.openDisk();
        const kept = await bundle.createSnapshot();
        await disk.write(patternBytes(3, 70_000), size - 70_001);
        const want = { ...states, [kept]: states[top] };
        expect([name, { ...(await statesOf(bundle, disk)), [top]: "" }]).toEqual([name, { ...want, [top]: "" }]);
        for (const guid of Object.keys(states)) {
          if (guid === top || bundle.snapshots.filter(({ parent }) => parent === guid).length > 1) continue;
          await bundle.deleteSnapshot(guid);
          delete want[guid];
        }
        await bundle.switchSnapshot(kept);
        want[bundle.top] = want[kept];
        expect([name, await statesOf(bundle, disk)]).toEqual([name, want]);
        await bundle.close();
        await expectFree(place);
        const again = await openIn(face, place, engine);
        expect(await again.check()).toMatchObject({ strays: [], unfinished: [] });
        expect([name, await statesOf(again)]).toEqual([name, want]);
      }
    },
  );

  test.each(combinations)(
    "that are wrong are refused by name, and left alone ($face face, $engine engine)",
    async ({ face, engine }) => {
      for (const name of Object.keys(expected.bad)) {
        const [code, message] = { ...CAUSES, ...IMAGE_CAUSES }[name];
        const place = await openFolder(face, `${name}.hdd`);
        const before = filesOf(name).map(([file, bytes]) => [file, md5(bytes)]);
        for (const readOnly of [true, false]) {
          const open = async () => (await openIn(face, place, engine)).openDisk({ readOnly });
          await expect(open(), name).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
        }
        await expectFree(place);
        expect([name, filesOf(name).map(([file, bytes]) => [file, md5(bytes)])]).toEqual([name, before]);
      }
    },
  );
});

const IMAGE = "expanding.hdd.0.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds";

describeWith([fixtures], "The bundle by Parallels Desktop", () => {
  test("reads right, takes a snapshot, is written, merged, and keeps all that we do not know", async () => {
    const at = path("expanding.hdd");
    mkdirSync(at);
    for (const name of ["DiskDescriptor.xml", "expanding.hdd"])
      writeFileSync(join(at, name), readFixture(`expanding.hdd/${name}`));
    writeFileSync(join(at, IMAGE), readFixture(`expanding.hdd/${IMAGE}.gz`));
    cpSync(join(at, "DiskDescriptor.xml"), join(at, "DiskDescriptor.xml.Backup"));
    const text = () => readFileSync(join(at, "DiskDescriptor.xml"), "utf8");
    const before = text();
    const original = "13b7616dd9aede47013ac706573b7fef";
    const bundle = await Bundle.open(await FileFolder.open(at));
    const { top } = bundle;
    expect(await statesOf(bundle)).toEqual({ [top]: original });
    const disk = await bundle.openDisk();
    const kept = await bundle.createSnapshot();
    await disk.write(patternBytes(1, 3_000_000), 12_345);
    const states = await statesOf(bundle, disk);
    expect(states[kept]).toBe(original);
    expect(states[top]).not.toBe(original);
    await bundle.deleteSnapshot(kept);
    expect(await statesOf(bundle, disk)).toEqual({ [top]: states[top] });
    await bundle.close();
    expect(meaningOf(text())).toEqual(meaningOf(before));
    expect(readdirSync(at).sort()).toEqual(
      ["DiskDescriptor.xml", "DiskDescriptor.xml.Backup", "expanding.hdd", IMAGE].sort(),
    );
    expect(readFileSync(join(at, "DiskDescriptor.xml.Backup"), "utf8")).toBe(before);
  });
});
