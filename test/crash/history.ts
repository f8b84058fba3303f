/** A random history on the synchronous face: what a guest and its machine do to a disk, one thing after the other. */
import { DiskSync } from "../../src/disk-sync.js";
import type { StorageSync } from "../../src/storage/storage.js";
import { below, patternBytes, type Random } from "../support/random.js";
import { SECTOR } from "./crash-storage.js";
import { readAll, Violation } from "./judge.js";
import type { Session } from "./session.js";
import { baseOf, choose } from "./setting.js";

/** What stands between disk and storage: nothing, or something that breaks a rule. */
export interface Between {
  storage(session: Session): StorageSync;
  /** Called before the disk is closed. */
  closing?(disk: DiskSync): void;
  /** Called before each step, and when a request of it has ended. */
  begins?(step: Step): void;
  ended?(): void;
  /** What is done, where that is not everything. */
  steps?: readonly Step[];
}

const NOTHING: Between = { storage: ({ storage }) => storage };

export type Step = "write" | "zeros" | "flush" | "reopen" | "kill" | "repair" | "resize" | "compact" | BitmapStep;
type BitmapStep = "addBitmap" | "clearBitmap" | "removeBitmap";

const times = (count: number, step: Step): Step[] => Array<Step>(count).fill(step);

/** Steps, as often as they are likely: those of guests, and all. */
export const GUEST_STEPS: readonly Step[] = [
  ...times(10, "write"),
  ...times(4, "zeros"),
  ...times(3, "flush"),
  ...times(2, "reopen"),
  "kill",
  "repair",
];
const LIKELY_STEPS: readonly Step[] = [
  ...GUEST_STEPS,
  ...times(2, "resize"),
  ...times(2, "compact"),
  "addBitmap",
  "clearBitmap",
  "clearBitmap",
  "removeBitmap",
];

/** More bitmaps say nothing more, and do not fit into small clusters. */
const MOST_BITMAPS = 2;

export function playHistory(session: Session, between: Between = NOTHING): void {
  const { simulation, limits } = session;
  const history = new History(session, between);
  for (let step = 0; step < limits.steps && !simulation.isOver(limits); step++) history.step();
  if (!simulation.isOver(limits)) history.close();
}

class History {
  readonly #session: Session;
  readonly #between: Between;
  readonly #random: Random;
  #disk: DiskSync;
  /** Changes since the last flush. */
  #changes = 0;

  constructor(session: Session, between: Between) {
    this.#session = session;
    this.#between = between;
    this.#random = session.simulation.random;
    this.#disk = this.#open();
  }

  step(): void {
    const { limits } = this.#session;
    const next = choose(this.#random, this.#between.steps ?? LIKELY_STEPS);
    const step = this.#changes >= limits.changes ? "flush" : next;
    this.#between.begins?.(step);
    this[step]();
  }

  write(): void {
    const { guest, simulation } = this.#session;
    const { offset, length } = this.#range();
    const bytes = patternBytes(simulation.nextTag(), length);
    const change = guest.issue(offset, bytes);
    this.#note(`write ${length} at ${offset}`, () => this.#disk.write(bytes, offset));
    guest.complete(change);
    this.#changes++;
  }

  zeros(): void {
    const { guest } = this.#session;
    const { offset, length } = this.#range();
    const change = guest.issue(offset, length);
    this.#note(`zeros for ${length} at ${offset}`, () => this.#disk.writeZeroes(offset, length));
    guest.complete(change);
    this.#changes++;
  }

  flush(): void {
    const began = this.#session.guest.tick();
    this.#note("flush", () => this.#disk.flush());
    this.#durable(began);
    this.#requireMarked();
  }

  close(): void {
    const { guest } = this.#session;
    const began = guest.tick();
    this.#between.closing?.(this.#disk);
    this.#note("close", () => this.#disk.close());
    this.#durable(began);
  }

  /** Another session. */
  reopen(): void {
    this.close();
    this.#disk = this.#open();
  }

  /** The process ends without a word; the power stays on. */
  kill(): void {
    this.#note("kill", () => this.#disk.abandon());
    this.#session.tidy = false;
    this.#disk = this.#open();
    this.#session.guest.adopt(this.#content());
  }

  repair(): void {
    this.#note("repair leaks", () => this.#disk.repair("leaks"));
  }

  resize(): void {
    const { guest } = this.#session;
    const size = this.#otherSize();
    guest.resizing(size);
    this.#note(`resize from ${this.#disk.size} to ${size}`, () => this.#disk.resize(size));
    guest.resized();
    this.#content();
  }

  compact(): void {
    const order = this.#random() < 0.3;
    this.#note(`compact${order ? " in order" : ""}`, () => this.#disk.compact({ order }));
    this.#content();
  }

  addBitmap(): void {
    const { bitmaps } = this.#session;
    if (bitmaps.ids.length >= MOST_BITMAPS) this.removeBitmap();
    const id = `00000000-0000-4000-8000-${this.#session.simulation.nextTag().toString(16).padStart(12, "0")}`;
    const granularity = SECTOR << below(this.#random, 4);
    bitmaps.began(id, this.#content());
    this.#note(`add bitmap ${id} of ${granularity} bytes`, () => this.#disk.addBitmap({ id, granularity }));
    bitmaps.flushed();
  }

  clearBitmap(): void {
    const { bitmaps } = this.#session;
    if (bitmaps.ids.length === 0) this.addBitmap();
    const id = choose(this.#random, bitmaps.ids);
    bitmaps.began(id, this.#content());
    this.#note(`clear bitmap ${id}`, () => this.#disk.clearBitmap(id));
  }

  removeBitmap(): void {
    const { bitmaps } = this.#session;
    if (bitmaps.ids.length === 0) this.addBitmap();
    const id = choose(this.#random, bitmaps.ids);
    bitmaps.removed(id);
    this.#note(`remove bitmap ${id}`, () => this.#disk.removeBitmap(id));
    bitmaps.flushed();
  }

  #durable(began: number): void {
    const { guest, bitmaps } = this.#session;
    guest.flushed(began);
    bitmaps.flushed();
    this.#session.visitAll();
    this.#changes = 0;
  }

  #open(): DiskSync {
    const { setting } = this.#session.simulation;
    const repair = choose(this.#random, ["none", "none", "leaks", "all"] as const);
    const prealloc = setting.prealloc;
    const options = { engine: setting.engine, repair, prealloc, ...baseOf(setting) };
    const disk = this.#note(`open with repair "${repair}"`, () =>
      DiskSync.open(this.#between.storage(this.#session), options),
    );
    this.#disk = disk;
    this.#content();
    return disk;
  }

  /** What the disk reads as, which the guest has a say in. */
  #content(): Uint8Array {
    const content = readAll(this.#disk);
    const fault = this.#session.guest.fault(content);
    if (fault !== undefined) throw new Violation("content", `without any loss of power ${fault}`);
    return content;
  }

  /** What the disk says of its bitmaps misses nothing. */
  #requireMarked(): void {
    const { bitmaps } = this.#session;
    const listed = this.#disk.bitmaps;
    if (String(listed.map(({ id }) => id)) !== String(bitmaps.ids))
      throw new Violation("extension", `the disk has bitmaps ${listed.map(({ id }) => id)}, not ${bitmaps.ids}`);
    const content = this.#content();
    for (const { id, stale } of listed) {
      if (stale) continue;
      const fault = bitmaps.missedBy(id, this.#disk.dirtyRanges(id), content);
      if (fault !== undefined) throw new Violation("extension", `the open disk's ${fault}`);
    }
  }

  #note<T>(line: string, act: () => T): T {
    this.#session.lines.push(line);
    const result = act();
    this.#between.ended?.();
    return result;
  }

  /** Clusters, sectors or bytes; on average no longer than a cluster and a half. */
  #range(): { offset: number; length: number } {
    const { size, clusterSize } = this.#disk;
    const unit = choose(this.#random, [clusterSize, clusterSize, 512, 512, 1]);
    const offset = below(this.#random, Math.ceil(size / unit)) * unit;
    const longest = unit === 1 ? 700 : unit === clusterSize ? 2 : Math.min(4, 1 + (1.5 * clusterSize) / unit);
    return { offset, length: Math.min((1 + below(this.#random, longest)) * unit, size - offset) };
  }

  /** Up to half as much again as the disk had at first, in clusters or sectors. */
  #otherSize(): number {
    const unit = choose(this.#random, [this.#disk.clusterSize, SECTOR]);
    const most = Math.ceil((1.5 * this.#session.simulation.setting.size) / unit) + 2;
    return (1 + below(this.#random, most)) * unit;
  }
}
