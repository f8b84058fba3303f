/** Bundles by other hands: Parallels Desktop's, and those that a program of the fixtures writes. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type Descriptor, parseDescriptor } from "../../src/bundle/descriptor.js";
import { DEFAULT_TOP, type Guid } from "../../src/bundle/guid.js";
import { switchedTo, withoutSnapshot, withSnapshot } from "../../src/bundle/plans.js";
import { DiskError } from "../../src/errors.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, fixtures, fixturesFolder, readFixture, runTool, tool } from "../support/peers.js";
import { CAUSES, IMAGE_CAUSES } from "./causes.js";
import { meaningOf } from "./meaning.js";

const folder = temporaryFolder()("bundles");
const SNAPSHOT: Guid = "{00000001-aaaa-4bbb-8ccc-000000000001}";

interface Expected {
  good: Record<string, { size: number; states: Record<Guid, string>; top: Guid }>;
  bad: Record<string, string>;
}

const text = (name: string) => readFileSync(join(folder, `${name}.hdd`, "DiskDescriptor.xml"), "utf8");

describeWith([fixtures, tool("python3")], "Bundles of known content", () => {
  let expected: Expected;
  beforeAll(() => {
    runTool("python3", join(fixturesFolder, "bundles.py"), folder);
    expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));
  });

  test("are read as they were meant", () => {
    expect(Object.keys(expected.good).length).toBeGreaterThanOrEqual(8);
    for (const [name, { size, states, top }] of Object.entries(expected.good)) {
      const descriptor = parseDescriptor(text(name));
      expect({ name, size: descriptor.size, top: descriptor.topGuid }).toEqual({ name, size, top });
      expect(descriptor.graph.guids.toSorted()).toEqual(Object.keys(states).sort());
      expect(descriptor.name).toBe("made & known");
      const files = new Set(readdirSync(join(folder, `${name}.hdd`)));
      for (const { images } of descriptor.storages)
        for (const { file } of images) expect(files.has(file), file).toBe(true);
    }
  });

  test("split: each storage has its own chain", () => {
    const { storages, graph, topGuid } = parseDescriptor(text("split-plain"));
    expect(storages.map(({ start, end }) => end - start)).toEqual([2 << 20, 2 << 20, 512 * 9]);
    expect(storages.map(({ images }) => images.map(({ type }) => type))).toEqual(
      Array(3).fill(["plain", "expandable"]),
    );
    expect(graph.chainOf(topGuid)).toHaveLength(2);
  });

  const IN_IMAGES = Object.keys(IMAGE_CAUSES);

  test("that are wrong are refused, and the cause is named", () => {
    expect(Object.keys(expected.bad).sort()).toEqual([...Object.keys(CAUSES), ...IN_IMAGES].sort());
    for (const [name, [code, message]] of Object.entries(CAUSES)) {
      const error = refusalOf(text(name));
      expect({ name, code: error?.code }).toEqual({ name, code });
      expect(error?.message).toMatch(message);
      expect(error?.message).not.toMatch(/\n/);
    }
    for (const name of IN_IMAGES) expect(refusalOf(text(name))).toBeUndefined();
    expect(parseDescriptor(text("absolute"), { allowAbsolute: true }).storages[0].images[0].file).toBe("/etc/hostname");
  });

  test("keep what we do not know through every change", () => {
    for (const name of Object.keys(expected.good)) {
      let descriptor = parseDescriptor(text(name));
      for (const change of [taken, wentBack, merged]) {
        descriptor = change(descriptor);
        expect(descriptor.toString()).toContain("<Unknown_to_us>keep me</Unknown_to_us>");
        expect(parseDescriptor(descriptor.toString()).snapshots).toEqual(descriptor.snapshots);
      }
    }
  });
});

const newFiles = ({ storages }: Descriptor, tag: string) => storages.map((_, index) => `new.${index}.${tag}.hds`);
const taken = (before: Descriptor) => withSnapshot(before, SNAPSHOT, newFiles(before, "taken")).descriptor;
const wentBack = (before: Descriptor) => switchedTo(before, SNAPSHOT, newFiles(before, "back")).descriptor;
const merged = (before: Descriptor) => withoutSnapshot(before, SNAPSHOT, "parent-file").descriptor;

function refusalOf(source: string): DiskError | undefined {
  try {
    parseDescriptor(source);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(DiskError);
    return error as DiskError;
  }
}

describeWith([fixtures], "A descriptor by Parallels Desktop", () => {
  const source = () => new TextDecoder().decode(readFixture("expanding.hdd/DiskDescriptor.xml"));

  test("is understood, and comes out as it went in", () => {
    const descriptor = parseDescriptor(readFixture("expanding.hdd/DiskDescriptor.xml"));
    const { size, name, topGuid, storages, snapshots } = descriptor;
    expect({ size, name, topGuid }).toEqual({ size: 100 * 2 ** 20, name: "expanding", topGuid: DEFAULT_TOP });
    const image = { guid: DEFAULT_TOP, type: "expandable", file: `expanding.hdd.0.${DEFAULT_TOP}.hds` };
    expect(storages).toEqual([{ start: 0, end: size, clusterSize: 2 ** 20, images: [image] }]);
    expect(snapshots).toEqual([{ guid: DEFAULT_TOP }]);
    expect(descriptor.toString()).toBe(source());
    expect(Buffer.from(descriptor.toBytes())).toEqual(Buffer.from(readFixture("expanding.hdd/DiskDescriptor.xml")));
  });

  test("is byte for byte as before when a snapshot was taken, and merged into the lower file again", () => {
    const before = parseDescriptor(source());
    const after = taken(before);
    expect(after.toString()).not.toBe(source());
    expect(merged(after).toString()).toBe(source());
  });

  test("gets a snapshot laid out as the rest is, and else only the old top's new GUID", () => {
    const lines = taken(parseDescriptor(source())).toString().split("\n");
    const added = [
      ...["            <Image>", `                <GUID>${DEFAULT_TOP}</GUID>`],
      ...[
        "                <Type>Compressed</Type>",
        "                <File>new.0.taken.hds</File>",
        "            </Image>",
      ],
      ...[
        "        <Shot>",
        `            <GUID>${DEFAULT_TOP}</GUID>`,
        `            <ParentGUID>${SNAPSHOT}</ParentGUID>`,
      ],
      "        </Shot>",
    ];
    const joined = lines.join("\n");
    for (const block of [added.slice(0, 5), added.slice(5)]) expect(joined).toContain(`\n${block.join("\n")}\n`);
    expect(lines).toHaveLength(source().split("\n").length + added.length);
    expect(meaningOf(joined)).not.toEqual(meaningOf(source()));
  });
});
