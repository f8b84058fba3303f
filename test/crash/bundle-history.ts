/**
 * A random history of a bundle in a folder that can lose power: a guest writes, and snapshots are taken, deleted and gone
 * back to, while the disk is open and while it is not. Whatever a crash leaves is judged, and repaired.
 */
import { BundleSync } from "../../src/bundle/bundle.js";
import type { BundleDiskSync } from "../../src/bundle/disks.js";
import type { EngineKind } from "../../src/engine/engine.js";
import type { FolderSync } from "../../src/storage/folder.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { below, patternBytes, type Random } from "../support/random.js";
import { type Doing, type Expected, openBundle, requireRepairable, requireSound, topFilesOf } from "./bundle-judge.js";
import type { CrashFolder } from "./crash-folder.js";
import { SECTOR } from "./crash-storage.js";
import { FolderWorld, type Left, type WorldLimits } from "./folder-world.js";
import { Guest } from "./guest.js";

/** Snapshots that stand on each other, and how many there are. */
const [DEEPEST, MOST] = [5, 7];
/** How many of the repairs crash, too. */
const CRASHING = 0.03;
const WASM_SHARE = 0.02;

export interface HistoryOptions {
  limits: WorldLimits;
  steps: number;
  /** How many of the states are repaired, 0..1; all are read. */
  repaired: number;
  /** Counts the states of each verb. */
  count: (what: string, states: number) => void;
  /** Puts something between the bundle and its folder, which is told of the verbs. */
  through?: (folder: CrashFolder) => FolderSync & { verb?: Doing["verb"] | undefined };
  /** Only the one engine, where the other one was changed. */
  judgeWith?: EngineKind;
}

export class BundleHistory {
  readonly #random: Random;
  readonly #options: HistoryOptions;
  readonly #world: FolderWorld;
  readonly #features: { punch: boolean; allocate: boolean };
  readonly #engine: EngineKind;
  readonly #shots = new Map<string, Uint8Array>();
  readonly #expected: Expected;
  readonly #isPlain: boolean;
  #now: Uint8Array;
  #folder!: FolderSync & { verb?: Doing["verb"] | undefined };
  #bundle!: BundleSync;
  #disk: BundleDiskSync | undefined;
  #tags = 1;
  /** States of repairs that were cut off. */
  #inRepairs = 0;
  /** States that were counted. */
  #told = 0;

  constructor(random: Random, options: HistoryOptions) {
    this.#random = random;
    this.#options = options;
    this.#engine = options.judgeWith === "wasm" || random() < 0.5 ? "js" : "wasm";
    this.#features = { punch: random() < 0.5, allocate: random() < 0.5 };
    this.#isPlain = random() < 0.3;
    const { start, bundle } = this.#start();
    this.#now = new Uint8Array(bundle.size);
    const inOrder = options.limits.losing === "nothing";
    const [guest, topFiles] = [new Guest(this.#now), topFilesOf(bundle)];
    this.#expected = { shots: this.#shots, guest, topFiles, doing: undefined, inOrder };
    const { limits } = options;
    this.#world = new FolderWorld(start, this.#features, { random, limits, judge: (left) => this.#judge(left) });
  }

  /** Plays it; answers how many states were judged. @throws Unsound */
  run(): number {
    this.#world.run((folder) => {
      this.#folder = this.#options.through?.(folder) ?? folder;
      this.#reopen();
      for (let step = 0; step < this.#options.steps && !this.#world.over; step++) this.#step();
      this.#disk?.close();
    });
    return this.#world.visited + this.#inRepairs;
  }

  /** An empty bundle, all of it durable. */
  #start(): { start: [string, Uint8Array][]; bundle: BundleSync } {
    const random = this.#random;
    const clusterSize = SECTOR * (1 + below(random, 4));
    const size = SECTOR * (4 + below(random, 24));
    const format = random() < 0.5 ? "v1" : "v2";
    const split = random() < 0.4 ? clusterSize * Math.ceil(size / clusterSize / (2 + below(random, 2))) : false;
    const folder = new MemoryFolder();
    const bundle = BundleSync.create(folder, { size, clusterSize, format, split, plain: this.#isPlain });
    return { start: folder.list().map((name) => [name, folder.contentOf(name)]), bundle };
  }

  #judge(left: Left): void {
    const engine = this.#options.judgeWith ?? (this.#random() < WASM_SHARE ? "wasm" : "js");
    if (this.#random() >= this.#options.repaired) {
      const bundle = openBundle(new MemoryFolder(left), engine);
      requireSound(bundle, this.#expected);
      return;
    }
    if (this.#random() < CRASHING) this.#repair(left, engine);
    else requireRepairable(new MemoryFolder(left), engine, this.#expected);
  }

  /** A repair that is cut off, too. */
  #repair(left: Left, engine: EngineKind): void {
    const judge = (again: Left) => requireRepairable(new MemoryFolder(again), engine, this.#expected);
    const limits = { ...this.#options.limits, exhaustive: 8, sampled: 4, states: 60 };
    const world = new FolderWorld(left, this.#features, { random: this.#random, limits, judge });
    world.run((folder) => requireRepairable(folder, engine, this.#expected));
    this.#inRepairs += world.visited;
    this.#options.count("in a repair", world.visited);
  }

  #step(): void {
    const kind = this.#random();
    if (kind < 0.35) this.#write();
    else if (kind < 0.42) this.#flush();
    else if (kind < 0.65) this.#create();
    else if (kind < 0.83) this.#delete();
    else if (kind < 0.95) this.#switch();
    else this.#reopen();
  }

  #write(): void {
    const { size } = this.#bundle;
    const offset = below(this.#random, size);
    const length = 1 + below(this.#random, Math.min(size - offset, 6 * SECTOR));
    const bytes = this.#random() < 0.2 ? new Uint8Array(length) : patternBytes(this.#tags++, length);
    if (this.#disk === undefined) return;
    const { guest } = this.#expected;
    const change = guest.issue(offset, bytes);
    if (bytes.some(Boolean)) this.#disk.write(bytes, offset);
    else this.#disk.writeZeroes(offset, length);
    guest.complete(change);
    this.#now.set(bytes, offset);
    this.#tell("write");
  }

  #flush(close = false): void {
    const { guest } = this.#expected;
    const began = guest.tick();
    if (close) this.#disk?.close();
    else this.#disk?.flush();
    if (this.#disk !== undefined) guest.flushed(began);
    this.#tell("flush");
  }

  /** Closes the disk, or all and opens it anew. */
  #reopen(): void {
    const close = this.#disk !== undefined;
    if (close) this.#flush(true);
    this.#disk = undefined;
    if (close && this.#random() < 0.5) return;
    this.#bundle = openBundle(this.#folder, this.#engine);
    this.#disk = this.#bundle.openDisk();
  }

  #create(): void {
    const { snapshots, top } = this.#bundle;
    if (snapshots.length > MOST || snapshots.find(({ guid }) => guid === top)!.depth >= DEEPEST) return;
    const content = this.#now.slice();
    let guid = "";
    this.#verb({ verb: "create", content }, () => {
      guid = this.#bundle.createSnapshot();
    });
    this.#shots.set(guid, content);
    this.#landed(content);
    this.#tell("create");
  }

  #switch(): void {
    const guid = this.#any();
    if (guid === undefined) return;
    const content = this.#shots.get(guid)!;
    this.#verb({ verb: "switch", content }, () => this.#bundle.switchSnapshot(guid));
    this.#landed(content);
    this.#tell("switch");
  }

  #delete(): void {
    const guid = this.#random() < 0.5 ? this.#beside() : this.#any();
    if (guid === undefined) return;
    const children = this.#childrenOf(guid);
    if (children.length > 1) return;
    const child = children[0]?.guid;
    const [image, file] = [this.#imageOf(guid), this.#imageOf(child)?.file];
    const where = this.#placeOf(child);
    this.#verb({ verb: "delete", guid }, () => this.#bundle.deleteSnapshot(guid));
    this.#shots.delete(guid);
    this.#expected.topFiles = topFilesOf(this.#bundle);
    const way = this.#imageOf(child)?.file === file ? "up" : `down to ${image!.type}`;
    this.#tell(child === undefined ? "delete, drop" : `delete, ${way}, ${where}`);
  }

  #any(): string | undefined {
    const guids = [...this.#shots.keys()];
    return guids[below(this.#random, guids.length)];
  }

  /** One that is to be merged and lies in another branch than the disk, which is rare; any, where there is none. */
  #beside(): string | undefined {
    const merged = [...this.#shots.keys()].filter((guid) => this.#childrenOf(guid).length === 1);
    const [guid = this.#any()] = merged.filter(
      (one) => this.#placeOf(this.#childrenOf(one)[0].guid) === "another branch",
    );
    return guid;
  }

  #childrenOf(guid: string) {
    return this.#bundle.snapshots.filter(({ parent }) => parent === guid);
  }

  #imageOf(guid: string | undefined) {
    return this.#bundle.parts[0].images.find((image) => image.guid === guid);
  }

  /** Where the one is with which a snapshot is merged. */
  #placeOf(child: string | undefined): string {
    const { snapshots, top } = this.#bundle;
    if (child === top) return "the top";
    const parents = new Map(snapshots.map(({ guid, parent }) => [guid, parent]));
    for (let guid: string | undefined = top; guid !== undefined; guid = parents.get(guid))
      if (guid === child) return "below";
    return "another branch";
  }

  #verb(doing: Doing, run: () => void): void {
    this.#expected.doing = doing;
    this.#folder.verb = doing.verb;
    run();
    this.#folder.verb = undefined;
    this.#expected.doing = undefined;
  }

  /** The disk is another one from here on. */
  #landed(content: Uint8Array): void {
    this.#now = content.slice();
    this.#expected.guest = new Guest(content, this.#expected.guest);
    this.#expected.topFiles = topFilesOf(this.#bundle);
  }

  /** What was done holds from here on. */
  #tell(what: string): void {
    this.#world.promise();
    this.#options.count(what, this.#world.visited - this.#told);
    this.#told = this.#world.visited;
  }
}
