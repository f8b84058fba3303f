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
 */
import { HEADER_SIZE } from "../format/header.js";
import { flushData } from "./durable.js";
import { type Image, TASK } from "./image.js";
import type { Operation } from "./operation.js";
import { locked } from "./range-locks.js";
import { writeFully } from "./transfer.js";

/** BAT entries that differ from those in the file: one request's, or neighbours' that are written together. */
export interface Unpublished {
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

/** What may wait: more is published by the request that adds to it. */
const MOST_UNPUBLISHED = 1024;

/** Entries are written together only within one page of the file: a process that is killed leaves all of a page or nothing. */
const PAGE_SIZE = 4096;

/** The largest piece of the BAT that is written at once, in bytes. */
const PIECE_SIZE = 256 * 1024;

/** Notes that entries in memory differ from the file. Requests note them when they complete. */
export function defer(image: Image, run: Omit<Unpublished, "frozen">): void {
  const last = image.unpublished[image.unpublished.length - 1];
  if (last === undefined || !joins(last, run)) {
    image.unpublished.push({ ...run, frozen: false });
    return;
  }
  last.count = Math.max(last.count, run.first + run.count - last.first);
  last.hidden &&= run.hidden;
  last.early &&= run.early;
  last.fileEnd = Math.max(last.fileEnd, run.fileEnd);
}

/** Whether a run may be written with the last one: it lies in it, or follows in the same page. */
function joins(last: Unpublished, { first, count }: Omit<Unpublished, "frozen">): boolean {
  const end = last.first + last.count;
  if (last.frozen || first < last.first || first > end) return false;
  return first + count <= end || pageOf(last.first) === pageOf(first + count - 1);
}

/** Notes entries that lose what they led to, or that the file shows none of: zeros are what the guest may find there. */
export function deferZeros(image: Image, first: number, count: number): void {
  defer(image, { first, count, hidden: false, early: true, fileEnd: 0 });
}

const pageOf = (cluster: number): number => Math.floor((HEADER_SIZE + 4 * cluster) / PAGE_SIZE);

/**
 * Whether a change of allocated clusters may go to the file now. Those of the last run that waits show nothing before
 * their entries do.
 */
export function mayShow({ unpublished }: Image, firstCluster: number, lastCluster: number): boolean {
  const last = unpublished[unpublished.length - 1];
  if (last === undefined) return true;
  return last.hidden && firstCluster >= last.first && lastCluster < last.first + last.count;
}

/**
 * Whether a request whose entries wait may not complete yet: so much waits, or others that show already have what came
 * before them published, and whatever completes before they do must come before them, too.
 */
export const isUrgent = ({ unpublished, publishing }: Image): boolean =>
  publishing > 0 || unpublished.length > MOST_UNPUBLISHED;

/** Writes what waits. The caller may hold clusters, but not the flush. */
export function* publish(image: Image): Operation<void> {
  if (image.unpublished.length === 0) return;
  image.publishing++;
  try {
    yield* locked(image.tasks, TASK.flush, TASK.flush, true, function* () {
      // After a flush that failed nothing is promised any more.
      if (image.flushError === undefined) yield* publishTables(image);
    });
  } finally {
    image.publishing--;
  }
}

/** The same for who keeps others from flushing. */
export function* publishTables(image: Image): Operation<void> {
  const { unpublished } = image;
  const count = unpublished.length;
  for (const run of unpublished) run.frozen = true;
  if (unpublished.some((run) => !run.early || run.fileEnd > image.durableSize)) yield* flushData(image);
  for (let published = 0; published < count; published++) {
    yield* writeEntries(image, unpublished[0]!);
    unpublished.shift();
  }
}

function* writeEntries(image: Image, { first, count }: Unpublished): Operation<void> {
  const end = 4 * (first + count);
  for (let at = 4 * first; at < end; at += PIECE_SIZE) {
    // Copied: the tables' memory may move while the write is under way.
    yield* writeFully(image.storage, image.engine.batBytes.slice(at, Math.min(at + PIECE_SIZE, end)), HEADER_SIZE + at);
    image.unflushed = true;
  }
}
