/**
 * Random histories of a bundle against plain byte arrays, one for each snapshot: writes and zeros on the open disk, snapshots
 * taken, deleted and gone back to while it is open and while it is not. After each step every snapshot reads right, in both
 * faces, and no file is left over.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bundle, BundleSync } from "../../src/bundle/bundle.js";
import type { BundleDisk, BundleDiskSync } from "../../src/bundle/disks.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { combinations, type FaceKind } from "../support/faces.js";
import { patternBytes } from "../support/random.js";
import { runs } from "../support/runs.js";

type AnyBundle = Bundle | BundleSync;
type AnyBundleDisk = BundleDisk | BundleDiskSync;

const SECTOR = 512;

const shapes = fc.record({
  sectors: fc.integer({ min: 1, max: 200 }),
  clusterSectors: fc.constantFrom(1, 3, 8, 16),
  split: fc.constantFrom(undefined, 8 * SECTOR, 64 * SECTOR),
  plain: fc.boolean(),
  format: fc.constantFrom("v1" as const, "v2" as const, undefined),
});

const steps = fc.record({
  verb: fc.constantFrom(
    "write",
    "write",
    "write",
    "zeros",
    "flush",
    "snapshot",
    "delete",
    "switch",
    "reopen",
    "together",
  ),
  place: fc.nat(),
  length: fc.nat(12_000),
  tag: fc.nat(1000),
});

type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

class History {
  readonly folder = new MemoryFolder();
  bundle!: AnyBundle;
  disk: AnyBundleDisk | undefined;
  readonly states = new Map<string, Uint8Array>();
  constructor(
    readonly face: FaceKind,
    readonly engine: "wasm" | "js",
  ) {}

  async begin(shape: typeof shapes extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
    const { sectors, clusterSectors, ...rest } = shape;
    const options = { size: sectors * SECTOR, clusterSize: clusterSectors * SECTOR, engine: this.engine, ...rest };
    this.bundle = await (this.face === "async"
      ? Bundle.create(this.folder, options)
      : BundleSync.create(this.folder, options));
    this.states.set(this.bundle.top, new Uint8Array(options.size));
    this.disk = await this.bundle.openDisk();
  }

  get now(): Uint8Array {
    return this.states.get(this.bundle.top)!;
  }

  async step({ verb, place, length: wanted, tag }: Step): Promise<void> {
    const { size } = this.bundle;
    const offset = place % size;
    const length = Math.min(wanted, size - offset);
    if (this.disk === undefined && verb !== "reopen" && ["write", "zeros", "flush", "together"].includes(verb)) return;
    const others = this.bundle.snapshots.filter(({ top }) => !top);
    const chosen = others[place % Math.max(1, others.length)];
    if (verb === "write") {
      const bytes = patternBytes(tag, length);
      await this.disk?.write(bytes, offset);
      this.now.set(bytes, offset);
    } else if (verb === "zeros") {
      await this.disk?.writeZeroes(offset, length);
      this.now.fill(0, offset, offset + length);
    } else if (verb === "flush") await this.disk?.flush();
    else if (verb === "snapshot") {
      const guid = await this.bundle.createSnapshot();
      this.states.set(guid, this.now.slice());
    } else if (verb === "delete" && chosen !== undefined) await this.delete(chosen.guid);
    else if (verb === "switch" && chosen !== undefined) {
      await this.bundle.switchSnapshot(chosen.guid);
      this.states.set(this.bundle.top, this.states.get(chosen.guid)!.slice());
    } else if (verb === "reopen") await this.reopen();
    else if (verb === "together") await this.together(offset, length, tag, chosen?.guid);
  }

  async delete(guid: string): Promise<void> {
    const children = this.bundle.snapshots.filter(({ parent }) => parent === guid);
    if (children.length > 1) {
      await expect(async () => this.bundle.deleteSnapshot(guid)).rejects.toMatchObject({ code: "UNSUPPORTED" });
      return;
    }
    await this.bundle.deleteSnapshot(guid);
    this.states.delete(guid);
  }

  /** Writes while verbs are under way: they take effect before or after, and none is lost. */
  async together(offset: number, length: number, tag: number, guid: string | undefined): Promise<void> {
    if (this.face === "sync") return;
    const bytes = patternBytes(tag, length);
    const half = Math.floor(length / 2);
    const writes = [this.disk?.write(bytes.subarray(0, half), offset)];
    const verb = guid === undefined || tag % 2 === 0 ? this.disk?.flush() : this.delete(guid);
    writes.push(this.disk?.write(bytes.subarray(half), offset + half));
    await Promise.all([...writes, verb]);
    this.now.set(bytes, offset);
  }

  async reopen(): Promise<void> {
    if (this.disk !== undefined) {
      await this.disk.close();
      this.disk = undefined;
      return;
    }
    await this.bundle.close();
    const { folder, engine } = this;
    this.bundle = await (this.face === "async" ? Bundle.open(folder, { engine }) : BundleSync.open(folder, { engine }));
    this.disk = await this.bundle.openDisk();
  }

  /** Every snapshot reads as its byte array says. */
  async compare(): Promise<void> {
    expect(this.bundle.snapshots.map(({ guid }) => guid).sort()).toEqual([...this.states.keys()].sort());
    for (const [guid, content] of this.states) {
      const isTop = guid === this.bundle.top;
      const disk =
        isTop && this.disk !== undefined ? this.disk : await this.bundle.openDisk({ snapshot: guid, readOnly: true });
      const bytes = new Uint8Array(content.length).fill(0xa5);
      await disk.read(bytes, 0);
      if (Buffer.compare(bytes, content) !== 0)
        expect.fail(`${guid}${isTop ? " (top)" : ""}: byte ${bytes.findIndex((byte, at) => byte !== content[at])}`);
      if (disk !== this.disk) await disk.close();
    }
    const images = this.bundle.parts.flatMap(({ images }) => images.map(({ file }) => file));
    expect(this.folder.list().sort()).toEqual([...images, "DiskDescriptor.xml", `${this.bundle.name}.hdd`].sort());
  }
}

describe.each(combinations)("A bundle ($face face, $engine engine)", ({ face, engine }) => {
  it("reads every snapshot right, whatever was written, taken, deleted and gone back to", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.array(steps, { maxLength: 25 }), async (shape, list) => {
        const history = new History(face, engine);
        await history.begin(shape);
        for (const step of list) {
          await history.step(step);
          if (step.tag % 3 === 0) await history.compare();
        }
        await history.compare();
        await history.disk?.close();
        const report = await history.bundle.check();
        expect(report).toMatchObject({ strays: [], unfinished: [] });
        for (const { report: image, file } of report.images) expect([file, image?.corruptions ?? 0]).toEqual([file, 0]);
        await history.bundle.close();
      }),
      runs(300, 40),
    );
  });
});
