/**
 * The order in which changes reach the file, for the death of the process alone: what reached the storage stays then,
 * and the disk must read as a prefix of the writes that had completed. What is written in place is in the file at once;
 * what went into a new cluster is not to be found before its BAT entry is there. So entries wait in a line, in the order
 * in which their requests completed, and whatever shows at once first has the line *published*: written to the file.
 *
 * For a loss of power an entry must not reach the file before what it leads to is durable - or else what it leads to
 * must be known to read as the guest may find it. Where no base lies beneath, a cluster that was not allocated reads as
 * zeros, and so does one that growth added, once the file's length is durable: such entries are written *early*, with no
 * flush before them, and a flush of the disk has to flush the storage but once.
 *
 * Behind entries that must wait for a flush, writes in place are parked in the same line (parked.ts).
 */
import { HEADER_SIZE } from "../format/header.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import type { Image } from "./image.js";
import { isParked, type Parked, unpark } from "./parked.js";

/** What the file does not show yet, in the order in which it must get there. */
export interface Line {
  readonly items: Unpublished[];
  /** Bytes of parked writes among them. */
  parkedBytes: number;
  /** Requests that wait for those to get there. */
  publishing: number;
}

/** BAT entries and writes that the file does not have yet. */
export type Unpublished = Deferred | Parked;

/** BAT entries that differ from those in the file: one request's, or neighbours' that are written together. */
export interface Deferred {
  first: number;
  count: number;
  /** None of the clusters shows in the file before: what is written to them waits with them. */
  hidden: boolean;
  /** Until they are durable, the clusters read as zeros, and zeros are what the guest may find. */
  early: boolean;
  /** Where the last of the clusters ends in the file: beyond the durable length nothing is early. */
  fileEnd: number;
  /** It is being written: nothing may join it. */
  frozen: boolean;
}

/** How many may wait: the request that adds more publishes. */
const MOST_UNPUBLISHED = 4096;

/** Parked bytes that may wait. */
const MOST_PARKED = 16 * 1024 * 1024;

/** Less waits where nothing but the file's length is to become durable: it grows ahead, so that this is rare. */
const MOST_FOR_GROWTH = 1024 * 1024;

/** Entries are written together only within one page of the file: a process that is killed leaves all of a page or nothing. */
const PAGE_SIZE = 4096;

/** The largest piece of the BAT that is written at once, in bytes. */
const PIECE_SIZE = 256 * 1024;

/** Notes that entries in memory differ from the file. Requests note them when they complete. */
export function defer(image: Image, run: Omit<Deferred, "frozen">): void {
  const last = lastOf(image);
  if (last === undefined || !joins(last, run)) {
    image.line.items.push({ ...run, frozen: false });
    return;
  }
  last.count = Math.max(last.count, run.first + run.count - last.first);
  last.hidden &&= run.hidden;
  last.early &&= run.early;
  last.fileEnd = Math.max(last.fileEnd, run.fileEnd);
}

/** Notes entries that lose what they led to: zeros are what the guest may find there from now on. */
export function deferZeros(image: Image, first: number, count: number): void {
  defer(image, { first, count, hidden: false, early: true, fileEnd: 0 });
}

/** The last in the line, if those are entries. */
function lastOf({ line: { items } }: Image): Deferred | undefined {
  const last = items[items.length - 1];
  return last === undefined || isParked(last) ? undefined : last;
}

/** Whether a run may be written with the last one: it lies in it, or follows in the same page. */
function joins(last: Deferred, { first, count }: Omit<Deferred, "frozen">): boolean {
  const end = last.first + last.count;
  if (last.frozen || first < last.first || first > end) return false;
  return first + count <= end || pageOf(last.first) === pageOf(first + count - 1);
}

const pageOf = (cluster: number): number => Math.floor((HEADER_SIZE + 4 * cluster) / PAGE_SIZE);

/**
 * Whether a change of allocated clusters may go to the file now. Those of the last run that waits show nothing before
 * their entries do.
 */
export function mayShow(image: Image, firstCluster: number, lastCluster: number): boolean {
  if (image.line.items.length === 0) return true;
  const last = lastOf(image);
  return last?.hidden === true && firstCluster >= last.first && lastCluster < last.first + last.count;
}

/** Whether publishing has to flush. */
export function isCostly(image: Image): boolean {
  return image.line.parkedBytes > 0 || image.line.items.some((item) => !isEarly(image, item));
}

const isEarly = ({ medium }: Image, item: Unpublished): boolean =>
  isParked(item) || (item.early && item.fileEnd <= medium.durableSize);

/**
 * Whether a request that waits in the line may not complete yet: so much waits, or others that show already have what
 * came before them published, and whatever completes before they do must come before them, too.
 */
export function isUrgent({ line: { items, publishing, parkedBytes }, medium }: Image): boolean {
  if (publishing > 0 || items.length > MOST_UNPUBLISHED || parkedBytes > MOST_PARKED) return true;
  if (parkedBytes <= MOST_FOR_GROWTH || medium.preallocation.mode === "off") return false;
  return items.every((item) => isParked(item) || item.early);
}

/** Writes what waits. The caller may hold clusters, but not the flush. */
export function* publish(image: Image): Operation<void> {
  if (image.line.items.length === 0) return;
  image.line.publishing++;
  try {
    yield* exclusively(image.flushing, () => publishTables(image));
  } finally {
    image.line.publishing--;
  }
}

/**
 * Writes what waits, if any of it concerns these clusters, which the caller holds: their entries are written as they are
 * when it is their turn, and what they lead to then must be durable.
 */
export function* publishOf(image: Image, firstCluster: number, lastCluster: number): Operation<void> {
  const concerns = (item: Unpublished): boolean => {
    const { first, last } = isParked(item)
      ? parkedIn(image, item)
      : { first: item.first, last: item.first + item.count - 1 };
    return first <= lastCluster && last >= firstCluster;
  };
  if (image.line.items.some(concerns)) yield* publish(image);
}

function parkedIn({ grid }: Image, { offset, bytes }: Parked): { first: number; last: number } {
  return { first: grid.clusterOf(offset), last: grid.clusterOf(offset + bytes.length - 1) };
}

/** Writes what waits, for who keeps others from flushing. */
export function* publishTables(image: Image): Operation<void> {
  const { medium, line } = image;
  const { items } = line;
  // After a flush that failed nothing more is promised, and entries stay out of the file.
  if (medium.flushError !== undefined) return yield* unparkAll(image);
  const count = items.length;
  for (const item of items) item.frozen = true;
  if (items.some((item) => !isEarly(image, item))) yield* medium.flush();
  for (let done = 0; done < count; done++) {
    const item = items[0];
    yield* isParked(item) ? unpark(image, item) : writeEntries(image, item);
    items.shift();
  }
}

function* unparkAll(image: Image): Operation<void> {
  for (const item of image.line.items.filter(isParked)) {
    yield* unpark(image, item);
    image.line.items.splice(image.line.items.indexOf(item), 1);
  }
}

function* writeEntries(image: Image, { first, count }: Deferred): Operation<void> {
  const end = 4 * (first + count);
  for (let at = 4 * first; at < end; at += PIECE_SIZE) {
    // Copied: the tables' memory may move while the write is under way.
    const piece = image.engine.batBytes.slice(at, Math.min(at + PIECE_SIZE, end));
    // Of a long run most is as it should be, though it may not be durable: a small file that claims a long BAT stays small.
    const there = 4 * count > PIECE_SIZE && (yield* holds(image, piece, HEADER_SIZE + at));
    if (!there) yield* image.medium.write(piece, HEADER_SIZE + at);
    else image.medium.changed();
  }
}

/** Whether the file holds these entries already. */
function* holds(image: Image, entries: Uint8Array<ArrayBuffer>, fileOffset: number): Operation<boolean> {
  const found = new Uint8Array(entries.length);
  yield* image.medium.read(found, fileOffset);
  const [wanted, present] = [new Uint32Array(entries.buffer), new Uint32Array(found.buffer)];
  for (let index = 0; index < wanted.length; index++) if (wanted[index] !== present[index]) return false;
  return true;
}
