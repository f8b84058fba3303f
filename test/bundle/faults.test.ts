/**
 * Each request of a bundle's folder and of its files fails once, in turn, during each verb: the verb fails with a DiskError
 * or has done what it promised, the disk goes on or says that it is closed, every snapshot reads right in the end, and
 * nothing stays in use.
 */
import { describe, expect, it } from "vitest";
import type { BundleDisk, BundleDiskSync } from "../../src/bundle/disks.js";
import { Bundle, BundleSync } from "../../src/bundle.js";
import { DiskError } from "../../src/errors.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { type FaceKind, fewCombinations } from "../support/faces.js";
import { patternBytes } from "../support/random.js";
import { thorough } from "../support/runs.js";
import { FaultyFolder } from "./faulty-folder.js";

const CLUSTER = 4096;
const SIZE = 20 * CLUSTER;

interface Setting {
  face: FaceKind;
  engine: "wasm" | "js";
}

/** A disk with three snapshots under its top, the root with a second branch; which holds much, and which little. */
async function sample({ face, engine }: Setting, split: boolean) {
  const memory = new MemoryFolder();
  const options = { size: SIZE, clusterSize: CLUSTER, engine, ...(split ? { split: 12 * CLUSTER } : {}) };
  const bundle = await (face === "async" ? Bundle.create(memory, options) : BundleSync.create(memory, options));
  const disk = await bundle.openDisk();
  const now = new Uint8Array(SIZE);
  const states: Record<string, Uint8Array> = {};
  const guids: string[] = [];
  for (const [index, clusters] of [10, 3, 8].entries()) {
    const bytes = patternBytes(index + 1, clusters * CLUSTER);
    await disk.write(bytes, index * 2 * CLUSTER + 100);
    now.set(bytes, index * 2 * CLUSTER + 100);
    const guid = await bundle.createSnapshot();
    guids.push(guid);
    states[guid] = now.slice();
  }
  await bundle.switchSnapshot(guids[1]);
  now.set(states[guids[1]]);
  await disk.write(patternBytes(9, 100), 50);
  now.set(patternBytes(9, 100), 50);
  await bundle.close();
  return { files: memory.list().map((name) => [name, memory.contentOf(name)] as const), states, now, guids };
}

type Sample = Awaited<ReturnType<typeof sample>>;
type AnyBundle = Bundle | BundleSync;

interface Verb {
  /** Clusters that are written on top beforehand; the other branch goes then, too. */
  prepare?: number;
  act(bundle: AnyBundle, sampled: Sample): unknown;
}

const VERBS: Record<string, Verb> = {
  snapshot: { act: (bundle) => bundle.createSnapshot() },
  "merge of two that are read": { act: (bundle, { guids }) => bundle.deleteSnapshot(guids[0]) },
  "merge of the top downwards": { prepare: 0, act: (bundle, { guids }) => bundle.deleteSnapshot(guids[1]) },
  "merge into the top": { prepare: 5, act: (bundle, { guids }) => bundle.deleteSnapshot(guids[1]) },
  "deletion of a leaf": { act: (bundle, { guids }) => bundle.deleteSnapshot(guids[2]) },
  switch: { act: (bundle, { guids }) => bundle.switchSnapshot(guids[2]) },
};

async function check(name: string, setting: Setting, sampled: Sample, held: boolean, at: number): Promise<boolean> {
  const { face, engine } = setting;
  const verb = VERBS[name];
  const folder = new FaultyFolder(new MemoryFolder(sampled.files));
  const open = (): Promise<AnyBundle> =>
    (async () => (face === "async" ? Bundle.open(folder, { engine }) : BundleSync.open(folder, { engine })))();
  const bundle = await open();
  const wanted = { ...sampled.states };
  const top = sampled.now.slice();
  if (verb.prepare !== undefined) {
    await bundle.deleteSnapshot(sampled.guids[2]);
    const first = await bundle.openDisk();
    const bytes = patternBytes(5, verb.prepare * CLUSTER);
    await first.write(bytes, 2 * CLUSTER);
    top.set(bytes, 2 * CLUSTER);
    await first.close();
  }
  const disk = held ? await bundle.openDisk() : undefined;
  folder.arm(at);
  let failure: unknown;
  try {
    await verb.act(bundle, sampled);
  } catch (error) {
    failure = error;
  }
  folder.disarm();
  const struck = folder.struck !== undefined;
  if (failure !== undefined) {
    expect(struck).toBe(true);
    expect(failure).toBeInstanceOf(DiskError);
  }
  const switched = name === "switch" && bundle.snapshots.find(({ top }) => top)?.parent === sampled.guids[2];
  const now = switched ? wanted[sampled.guids[2]].slice() : top.slice();
  if (name === "snapshot")
    for (const { guid, top } of bundle.snapshots) if (!top && wanted[guid] === undefined) wanted[guid] = now.slice();
  let written = false;
  if (disk !== undefined) written = await goOn(disk, now);
  try {
    await bundle.close();
  } catch (error) {
    expect(error).toBeInstanceOf(DiskError);
    expect(struck).toBe(true);
    await disk?.abandon();
    await bundle.close();
  }
  await folder.expectFree();
  const again = await open();
  for (const { guid, top, temporary } of again.snapshots) {
    if (temporary) continue;
    const shown = await again.openDisk({ snapshot: guid, readOnly: true });
    const bytes = new Uint8Array(SIZE).fill(0xa5);
    await shown.read(bytes, 0);
    await shown.close();
    const content = top ? now : wanted[guid];
    if (content === undefined) expect.fail(`${guid} came from nowhere`);
    if (Buffer.compare(bytes, content) !== 0)
      expect.fail(
        `${guid}${top ? " (top)" : ""} reads otherwise at ${bytes.findIndex((b, i) => b !== content[i])}, written ${written}`,
      );
  }
  const { after } = await again.repair("all");
  expect(after).toMatchObject({ strays: [], unfinished: [] });
  for (const { report } of after.images) expect(report?.corruptions ?? 0).toBe(0);
  await again.close();
  await folder.expectFree();
  return struck;
}

/** The disk is written on, or says why not: nothing in between. */
async function goOn(disk: BundleDisk | BundleDiskSync, now: Uint8Array): Promise<boolean> {
  try {
    const before = new Uint8Array(SIZE);
    await disk.read(before, 0);
    expect(Buffer.compare(before, now)).toBe(0);
    const bytes = patternBytes(77, 9000);
    await disk.write(bytes, 3 * CLUSTER + 7);
    now.set(bytes, 3 * CLUSTER + 7);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(DiskError);
    return false;
  }
}

describe.each(fewCombinations)("A request that fails ($face face, $engine engine)", (setting) => {
  it.each(Object.keys(VERBS))("in a %s harms no snapshot, and leaves nothing in use", async (name) => {
    for (const split of [false, true]) {
      const sampled = await sample(setting, split);
      for (const held of [true, false]) {
        let at = held || thorough ? 1 : 3;
        const one = () =>
          check(name, setting, sampled, held, at).catch((error) => {
            error.message = `${name}, ${held ? "held" : "closed"}, ${split ? "split" : "whole"}, request ${at}: ${error.message}`;
            throw error;
          });
        while (await one()) at += thorough ? 1 : 8; // a plain run tries some
        expect(at).toBeGreaterThan(5);
      }
    }
  });
});
