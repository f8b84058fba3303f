/**
 * An open image: what every operation on one disk shares, and the arithmetic between guest offsets,
 * BAT entries, host clusters and file offsets.
 */
import { counted } from "../count.js";
import type { Engine, Grid, ScanFacts } from "../engine/engine.js";
import { DiskError } from "../errors.js";
import { type Header, SECTOR_SIZE } from "../format/header.js";
import type { Readable } from "../medium/transfer.js";
import type { Mutexes } from "../mutex.js";
import { quote } from "../printable.js";
import type { Storage } from "../storage/storage.js";
import type { Unpublished } from "./publish.js";
import type { RangeLocks } from "./range-locks.js";
import type { Preallocation, RepairReport } from "./reports.js";

/** What shows where the image has no data of its own: zeros follow its end. */
export interface Base extends Readable {
  /** In bytes; may be less or more than the disk's. */
  readonly size: number;
  /** For messages. */
  readonly path?: string | undefined;
}

/** A run of neighbouring host clusters. */
export interface HostRun {
  first: number;
  count: number;
}

export interface Image {
  readonly storage: Storage;
  readonly engine: Engine;
  readonly header: Header;
  /** The header as the file has it, with bytes that no field covers. */
  readonly headerBytes: Uint8Array<ArrayBuffer>;
  grid: Grid;
  facts: ScanFacts;
  readonly base: Base | undefined;
  readonly readOnly: boolean;
  /** Cluster ranges in use by running operations; absent in the synchronous face, where nothing overlaps. */
  readonly locks: RangeLocks | undefined;
  /** Tasks of which only one of a kind runs at a time; absent there, too. */
  readonly tasks: Mutexes | undefined;
  /** In bytes. */
  readonly size: number;
  readonly clusterSize: number;
  /** Bytes per entry unit: a sector in v1, a cluster in v2. */
  readonly entryUnit: number;
  /** Where the data area begins in the file, in bytes. */
  dataStart: number;
  /** The header's data offset is one that the format allows. */
  dataStartValid: boolean;
  /** How many sectors behind that the first cluster lies, where a v1 header does not say; kept once it was found. */
  phase: number | undefined;
  /** Why the format extension, if there is one, cannot be kept through changes. */
  extensionProblem: string | undefined;
  readonly preallocation: Preallocation;
  /** The storage's length as this disk made it, in bytes. */
  fileSize: number;
  /** As much of it as is durable, at least. */
  durableSize: number;
  /** As much of that length as was found at opening and never needed: what is beyond the clusters in use there is a leak. */
  foundSize: number;
  /**
   * The file's length up to which a repair has left alone what nothing refers to: it may be what a wrong entry meant. So
   * nothing is allocated below, and the file is not cut there. 0 for none.
   */
  spared: number;
  /** File bytes from here on were added by growth and never written: they read as zeros. */
  zeroFrom: number;
  /** The image was not closed cleanly by whoever had it before. */
  foundUnclean: boolean;
  /** It is open for writing as it was found: closing it will say "closed cleanly". */
  takenOver: boolean;
  /** in_use is durable: changes may begin. */
  marked: boolean;
  /** The header's empty flag is still set in the file; the BAT there is not to be believed. */
  emptyFlag: boolean;
  /** Something was written to the storage since it was last flushed. */
  unflushed: boolean;
  /** BAT entries and writes that the file does not have yet, in the order in which they must get there. */
  readonly unpublished: Unpublished[];
  /** Bytes of writes among them. */
  parkedBytes: number;
  /** Requests that wait for those to get there. */
  publishing: number;
  /** Host clusters that the BAT in the file may still refer to: not free before the next flush. */
  held: HostRun[];
  /** How many clusters those are. */
  heldCount: number;
  /** The storage gives back the blocks of freed clusters. */
  punches: boolean;
  /** The error that made a flush fail: nothing since is known to be durable. */
  flushError: unknown;
  /** What a repair at opening found and did. */
  repaired: RepairReport | undefined;
  closed: boolean;
  /** The storage was given up while requests may have been in flight: none of them goes on. */
  abandoned: boolean;
  /** The storage's own close. */
  readonly ending: Ending;
}

/** How far the close of a storage has come. It is asked for once, unless it failed and somebody tries again. */
export interface Ending {
  /** What `close` answered, while it is under way. */
  underWay: { answer: void | Promise<void> } | undefined;
  failed: boolean;
  done: boolean;
}

/** The guest cluster of an offset. */
export const clusterOf = (image: Image, guestOffset: number): number => Math.floor(guestOffset / image.clusterSize);

/** Where the cluster of an entry lies in the file. */
export const fileOffsetOf = (image: Image, entry: number): number => entry * image.entryUnit;

export const hostClusterOf = ({ engine }: Image, entry: number): number => (entry - engine.origin) / engine.step;

/** Where a host cluster lies in the file. */
export const hostOffsetOf = (image: Image, hostCluster: number): number =>
  (image.engine.origin + hostCluster * image.engine.step) * image.entryUnit;

/** The guest cluster one past the disk's last one; the BAT may have fewer entries in a damaged image, or more. */
export const clusterCountOf = (image: Image): number => Math.ceil(image.size / image.clusterSize);

export const sectorsToBytes = (sectors: number): number => sectors * SECTOR_SIZE;

/** Checks that a request lies on the disk and that the disk is there. */
export function requireRange(image: Pick<Image, "size" | "closed">, offset: number, length: number): void {
  requireOpen(image);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new RangeError(`offset: expected an integer from 0 to ${image.size}, got ${quote(offset)}`);
  if (!Number.isSafeInteger(length) || length < 0)
    throw new RangeError(`length: expected a whole number of bytes, got ${quote(length)}`);
  if (offset + length > image.size) {
    throw new RangeError(
      `a request for ${counted(length, "byte")} at ${offset} passes the end of the disk, which has ${counted(image.size, "byte")}`,
    );
  }
}

export function requireWritable(image: Image): void {
  requireOpen(image);
  if (image.readOnly)
    throw new DiskError("READ_ONLY", "the disk is open for reading only: open it without readOnly to change it");
}

export function requireOpen(image: Pick<Image, "closed">): void {
  if (image.closed) throw closedError();
}

export function closedError(): DiskError {
  return new DiskError("CLOSED", "the disk is closed: open it again");
}
