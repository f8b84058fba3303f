/**
 * An open image: what every verb on one disk shares. Its file, its tables and what lies beneath are objects of their own,
 * which an open disk may be given anew while nobody holds a lock of it; who waits for one fetches them afterwards.
 */
import type { AnyDevice } from "../device/block-device.js";
import type { Engine } from "../engine/engine.js";
import type { Header } from "../format/header.js";
import type { Medium } from "../medium/medium.js";
import { Mutex } from "../mutex.js";
import { closedError, readOnlyError, requireRange } from "../requests.js";
import type { Chain } from "./chain.js";
import type { Grid } from "./grid.js";
import type { HeldRun } from "./held.js";
import type { Line } from "./publish.js";
import { RangeLocks } from "./range-locks.js";
import type { RepairReport } from "./reports.js";
import type { Tables } from "./tables.js";
import type { Tracker } from "./tracker.js";

/** A run of neighbouring host clusters. */
export interface HostRun {
  first: number;
  count: number;
}

/** What is told of every change of guest bytes: the range, once they may be different. */
export type OnChange = (offset: number, length: number) => void;

export class Image {
  medium: Medium;
  tables: Tables;
  /** What shows where the image has no data of its own: zeros follow its end. It may be smaller than the disk, or larger. */
  base: AnyDevice | undefined;
  /** The same where it is a chain of images, for requests that ask it directly. */
  chain: Chain | undefined;
  readonly readOnly: boolean;
  /** Locks are absent in the synchronous face, where nothing overlaps. Their order: see mutex.ts. */
  readonly locks: RangeLocks | undefined;
  readonly flushing: Mutex | undefined;
  readonly marking: Mutex | undefined;
  /** What the file does not show yet. */
  readonly line: Line = { items: [], parkedBytes: 0, publishing: 0 };
  /** Host clusters that the BAT in the file may still refer to: not free before the next flush. */
  held: HeldRun[] = [];
  /** How many clusters those are. */
  heldCount = 0;
  /** The image was not closed cleanly by whoever had it before. */
  foundUnclean: boolean;
  /** It is open for writing as it was found: closing it will say "closed cleanly". */
  takenOver = false;
  /** in_use is durable: changes may begin. */
  marked = false;
  /** What a repair at opening found and did. */
  repaired: RepairReport | undefined;
  /** Counts its changes: whoever keeps bytes of it knows by that whether they may be other ones by now. */
  generation = 0;
  onChange: OnChange | undefined;
  /** What its dirty bitmaps do not know yet; absent where none is to be kept up to date. */
  tracker: Tracker | undefined;
  /** It is being committed, rebased, compacted or resized. */
  rearranged = false;
  closed = false;
  /** The storage was given up while requests may have been in flight: none of them goes on. */
  abandoned = false;

  constructor(medium: Medium, tables: Tables, base: AnyDevice | undefined, settings: ImageSettings) {
    this.medium = medium;
    this.tables = tables;
    this.base = base;
    this.readOnly = settings.readOnly;
    this.foundUnclean = settings.foundUnclean;
    this.locks = settings.concurrent ? new RangeLocks() : undefined;
    this.flushing = settings.concurrent ? new Mutex("flush") : undefined;
    this.marking = settings.concurrent ? new Mutex("mark") : undefined;
  }

  get engine(): Engine {
    return this.tables.engine;
  }

  get header(): Header {
    return this.tables.header;
  }

  get grid(): Grid {
    return this.tables.grid;
  }

  /** The disk's size in bytes. */
  get size(): number {
    return this.tables.size;
  }

  get clusterSize(): number {
    return this.tables.grid.clusterSize;
  }
}

export interface ImageSettings {
  readOnly: boolean;
  foundUnclean: boolean;
  /** Whether requests may overlap: in the asynchronous face. */
  concurrent: boolean;
}

/** Checks that a request lies on the disk and that the disk is there. */
export function requireRequest(image: Image, offset: number, length: number): void {
  requireOpen(image);
  requireRange(image.size, offset, length);
}

export function requireWritable(image: Image): void {
  requireOpen(image);
  if (image.readOnly) throw readOnlyError();
}

export function requireOpen(image: Image): void {
  if (image.closed) throw closedError();
}
