/** Deletions that are stopped by a signal: every other snapshot and the disk read as before, and a repair finishes what is left. */
import { describe, expect, it } from "vitest";
import { Bundle } from "../../src/bundle.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { patternBytes } from "../support/random.js";

const CLUSTER = 4096;
const SIZE = 400 * CLUSTER;

/** A bundle whose first snapshot holds so many clusters, and what stands on it others. */
async function made(lower: number, upper: number, above: boolean) {
  const bundle = await Bundle.create(new MemoryFolder(), { size: SIZE, clusterSize: CLUSTER });
  const disk = await bundle.openDisk();
  // Every other cluster, so that each is moved by itself.
  const write = async (tag: number, clusters: number, from: number) => {
    for (let cluster = 0; cluster < clusters; cluster++)
      await disk.write(patternBytes(tag + cluster, CLUSTER), (2 * cluster + from) * CLUSTER);
  };
  await write(1, lower, 0);
  const doomed = await bundle.createSnapshot();
  await write(900, upper, 1);
  const kept = above ? await bundle.createSnapshot() : undefined;
  const now = new Uint8Array(SIZE);
  await disk.read(now, 0);
  return { bundle, disk, doomed, kept, now };
}

describe.each([
  ["up, with the top", 80, 150, false, 0],
  ["down, with the top", 150, 80, false, 1],
  ["up, below", 80, 150, true, 0],
  ["down, below", 150, 80, true, 1],
])("A deletion that goes %s", (_, lower, upper, above, unfinished) => {
  it("stops at its signal, and leaves all else as it was", async () => {
    const { bundle, disk, doomed, kept, now } = await made(lower, upper, above);
    const signal = new AbortController();
    const seen: [number, number][] = [];
    const onProgress = (done: number, total: number) => {
      seen.push([done, total]);
      signal.abort(new Error("enough"));
    };
    // Some are moved at the same time; those that come after are not.
    await expect(bundle.deleteSnapshot(doomed, { onProgress, signal: signal.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(seen[0][0]).toBeLessThanOrEqual(seen[0][1]);
    const read = new Uint8Array(SIZE);
    await disk.read(read, 0);
    expect(Buffer.compare(read, now)).toBe(0);
    await disk.write(patternBytes(77, 100), 0);
    now.set(patternBytes(77, 100), 0);
    await disk.close();
    const report = await bundle.check();
    expect(report.unfinished.length).toBe(unfinished);
    const { after } = await bundle.repair("leaks");
    expect(after).toMatchObject({ unfinished: [], strays: [] });
    for (const snapshot of [bundle.top, ...(kept === undefined ? [] : [kept])]) {
      const again = await bundle.openDisk({ snapshot, readOnly: true });
      await again.read(read, 0);
      const expected = now.slice();
      if (snapshot === kept) expected.set(patternBytes(1, CLUSTER).subarray(0, 100), 0);
      expect(Buffer.compare(read, expected)).toBe(0);
      await again.close();
    }
    await bundle.close();
  });
});

it("A signal that is aborted already changes nothing", async () => {
  const { bundle, doomed } = await made(3, 3, false);
  await expect(bundle.deleteSnapshot(doomed, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "ABORTED",
  });
  expect(bundle.snapshots.map(({ guid }) => guid)).toContain(doomed);
  await bundle.close();
});
