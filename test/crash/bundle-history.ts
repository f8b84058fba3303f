/**
 * A history of a bundle that loses power, or whose process dies, after any request: a guest writes, snapshots are taken,
 * deleted and gone back to. Whatever is left, every snapshot reads as its bytes, or is as before the verb under way; the
 * disk holds what was flushed; and a repair leaves nothing behind.
 */

import type { BundleDiskSync } from "../../src/bundle/disks.js";
import { BundleSync } from "../../src/bundle.js";
import type { EngineKind } from "../../src/engine/engine.js";
import type { FolderSync } from "../../src/storage/folder.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { below, patternBytes, type Random } from "../support/random.js";
import type { CrashFolder } from "./crash-folder.js";
import { FolderWorld, type Left, type WorldLimits } from "./folder-world.js";
import { Guest } from "./guest.js";

const SECTOR = 512;

export interface Shape {
  size: number;
  clusterSize: number;
  split: number | undefined;
  plain: boolean;
  format: "v1" | "v2";
  engine: EngineKind;
}

export function randomShape(random: Random): Shape {
  const clusterSectors = [1, 2, 3][below(random, 3)];
  const sectors = 4 + below(random, 12);
  return {
    size: sectors * SECTOR,
    clusterSize: clusterSectors * SECTOR,
    split: random() < 0.3 ? 4 * SECTOR : undefined,
    plain: random() < 0.3,
    format: random() < 0.5 ? "v1" : "v2",
    engine: random() < 0.5 ? "wasm" : "js",
  };
}

/** How often each thing was done. */
export type Done = Map<string, number>;

type Between = (folder: CrashFolder) => FolderSync;

export class BundleHistory {
  readonly world: FolderWorld;
  readonly #shape: Shape;
  readonly #random: Random;
  readonly #done: Done;
  readonly #between: Between;
  /** Snapshots that are there, with their bytes. */
  readonly #states = new Map<string, Uint8Array>();
  /** What the verb under way may change. */
  #underWay: { verb: "create" | "switch" | "delete"; guid?: string } | undefined;
  #guest: Guest;
  #now: Uint8Array;
  #tag = 0;
  #bundle!: BundleSync;
  #disk!: BundleDiskSync;

  constructor(shape: Shape, random: Random, limits: WorldLimits, done: Done, between: Between = (folder) => folder) {
    this.#shape = shape;
    this.#random = random;
    this.#done = done;
    this.#between = between;
    this.#now = new Uint8Array(shape.size);
    this.#guest = new Guest(this.#now);
    const start = new MemoryFolder();
    BundleSync.create(start, { ...shape, prealloc: { mode: "off" } }).close();
    const files = start.list().map((name) => [name, start.contentOf(name)] as const);
    const judge = (left: Left) => this.#judge(left, limits.losing);
    const features = { punch: random() < 0.7, allocate: random() < 0.5 };
    this.world = new FolderWorld(files, features, { random, limits, judge });
  }

  play(steps: number): void {
    this.world.run((crashing) => {
      const folder = this.#between(crashing);
      this.#bundle = BundleSync.open(folder, { engine: this.#shape.engine, prealloc: { mode: "off" } });
      this.#disk = this.#bundle.openDisk();
      for (let step = 0; step < steps && !this.world.over; step++) this.#step();
      this.#disk.close();
      this.world.promise();
    });
  }

  #step(): void {
    const others = [...this.#states.keys()];
    const chosen = others[below(this.#random, others.length)];
    const dice = this.#random();
    if (dice < 0.45 || (dice > 0.65 && chosen === undefined)) this.#write();
    else if (dice < 0.5) this.#flush();
    else if (dice < 0.68 && others.length < 5) this.#create();
    else if (chosen !== undefined && dice < 0.9) this.#delete(chosen);
    else if (chosen !== undefined) this.#switch(chosen);
  }

  #count(what: string): void {
    this.#done.set(what, (this.#done.get(what) ?? 0) + 1);
  }

  #write(): void {
    const offset = below(this.#random, this.#shape.size);
    const length = 1 + below(this.#random, Math.min(this.#shape.size - offset, 3 * this.#shape.clusterSize));
    const zeros = this.#random() < 0.2;
    const bytes = zeros ? new Uint8Array(length) : patternBytes(++this.#tag, length);
    const change = this.#guest.issue(offset, bytes);
    if (zeros) this.#disk.writeZeroes(offset, length);
    else this.#disk.write(bytes, offset);
    this.#guest.complete(change);
    this.#now = this.#now.slice();
    this.#now.set(bytes, offset);
  }

  #flush(): void {
    const began = this.#guest.tick();
    this.#disk.flush();
    this.#durable(began);
  }

  #durable(began: number): void {
    this.#guest.flushed(began);
    this.world.promise();
  }

  #create(): void {
    const began = this.#guest.tick();
    this.#underWay = { verb: "create" };
    const guid = this.#bundle.createSnapshot();
    this.#underWay = undefined;
    this.#states.set(guid, this.#now);
    this.#count("create");
    this.#durable(began);
  }

  #delete(guid: string): void {
    const children = this.#bundle.snapshots.filter(({ parent }) => parent === guid);
    if (children.length > 1) return;
    const files = this.#filesOf(guid);
    this.#underWay = { verb: "delete", guid };
    this.#bundle.deleteSnapshot(guid);
    this.#underWay = undefined;
    this.#states.delete(guid);
    const way = children.length === 0 ? "drop" : this.#filesOf(children[0].guid)[0] === files[0] ? "down" : "up";
    this.#count(`delete ${way}${children[0]?.top ? " with the top" : ""}`);
    if (way === "down" && this.#bundle.parts[0].images.some(({ type }) => type === "plain"))
      this.#count("delete down, plain");
    this.world.promise();
  }

  #switch(guid: string): void {
    this.#underWay = { verb: "switch", guid };
    this.#bundle.switchSnapshot(guid);
    this.#underWay = undefined;
    this.#now = this.#states.get(guid) as Uint8Array;
    this.#guest = new Guest(this.#now, this.#guest);
    this.#count("switch");
    this.world.promise();
  }

  #filesOf(guid: string): string[] {
    return this.#bundle.parts.map(({ images }) => images.find((image) => image.guid === guid)?.file ?? "");
  }

  #judge(left: Left, losing: WorldLimits["losing"]): void {
    const folder = new MemoryFolder(left);
    const bundle = BundleSync.open(folder, { engine: this.#random() < 0.5 ? "wasm" : "js" });
    const snapshots = bundle.snapshots.filter(({ top, temporary }) => !top && !temporary).map(({ guid }) => guid);
    for (const guid of this.#states.keys()) {
      const mayBeGone = this.#underWay?.verb === "delete" && this.#underWay.guid === guid;
      if (!snapshots.includes(guid) && !mayBeGone) throw new Error(`snapshot ${guid} is lost`);
    }
    for (const guid of snapshots) {
      const expected = this.#states.get(guid) ?? (this.#underWay?.verb === "create" ? this.#now : undefined);
      if (expected === undefined) throw new Error(`snapshot ${guid} is back`);
      requireSame(contentOf(bundle, guid), expected, `snapshot ${guid}`);
    }
    const top = contentOf(bundle, bundle.top);
    this.#judgeTop(top, losing);
    if (this.#random() < 0.1) this.#judgeRepair(bundle, snapshots, top);
  }

  #judgeTop(content: Uint8Array, losing: WorldLimits["losing"]): void {
    const { verb, guid = "" } = this.#underWay ?? {};
    const target = verb === "switch" ? this.#states.get(guid) : undefined;
    if (target !== undefined && Buffer.compare(content, target) === 0) return;
    const fault = losing === "power" ? this.#guest.fault(content) : this.#guest.orderFault(content);
    if (fault !== undefined) throw new Error(`the top: ${fault}`);
  }

  #judgeRepair(bundle: BundleSync, snapshots: readonly string[], top: Uint8Array): void {
    const before = new Map(snapshots.map((guid) => [guid, contentOf(bundle, guid)]));
    const { after } = bundle.repair("leaks");
    if (after.strays.length + after.unfinished.length > 0)
      throw new Error(`repaired, and left: ${JSON.stringify(after)}`);
    for (const { file, report } of after.images)
      if (report !== undefined && report.corruptions + report.leaks > 0)
        throw new Error(`repaired, and ${file} is not sound: ${JSON.stringify(report.findings)}`);
    for (const [guid, content] of before) requireSame(contentOf(bundle, guid), content, `repaired, ${guid}`);
    requireSame(contentOf(bundle, bundle.top), top, "repaired, the top");
    this.#count("repair");
  }
}

function contentOf(bundle: BundleSync, snapshot: string): Uint8Array {
  const disk = bundle.openDisk({ snapshot, readOnly: true });
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  disk.close();
  return bytes;
}

function requireSame(got: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(got, expected) === 0) return;
  throw new Error(`${what} differs at byte ${got.findIndex((byte, at) => byte !== expected[at])}`);
}
