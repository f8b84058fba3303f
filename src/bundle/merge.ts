/**
 * Two images that lie on each other become one, in the file of either: what the lower holds and the upper does not goes
 * up, or what the upper holds goes down. Whole clusters are copied, in pieces, several at a time where the face can.
 */

import { changing } from "../image/change.js";
import type { Image } from "../image/image.js";
import { withClusters } from "../image/lock-clusters.js";
import type { Range } from "../image/pieces.js";
import { publish } from "../image/publish.js";
import { read, readBase } from "../image/read.js";
import { store, write } from "../image/write.js";
import type { Medium } from "../medium/medium.js";
import { forEach, type Operation, together } from "../operation.js";
import type { Work } from "../progress.js";
import type { Top } from "./segment.js";

/** Guest bytes that are copied in one piece. */
const PIECE_SIZE = 1024 * 1024;

/** The clusters of a disk, a byte each: whether an image holds it. */
export type Held = Uint8Array;

/** What an image holds. A hole of a file that is the disk itself is none of it: such a file is a root, below which are zeros. */
export function* heldBy(side: Top, clusterSize: number, size: number): Operation<Held> {
  const held = new Uint8Array(Math.ceil(size / clusterSize));
  if ("image" in side) {
    const { bat } = side.image.engine;
    for (let cluster = 0; cluster < Math.min(held.length, bat.length); cluster++)
      if (bat[cluster] !== 0) held[cluster] = 1;
    return held;
  }
  for (let at = 0; at < size; ) {
    const data = yield* side.plain.nextData(at, size);
    if (data === undefined) break;
    held.fill(1, Math.floor(data.start / clusterSize), Math.ceil(data.end / clusterSize));
    at = data.end;
  }
  return held;
}

/** What of one is not in the other. */
export const without = (held: Held, other: Held): Held => held.map((is, cluster) => (other[cluster] ? 0 : is));

export const countOf = (held: Held): number => held.reduce((sum, is) => sum + is, 0);

/** The pieces in which clusters are copied: neighbours together, none longer than a piece, unless one cluster is. */
function* piecesOf(held: Held, clusterSize: number, size: number): Generator<Range, void, void> {
  const most = Math.max(1, Math.floor(PIECE_SIZE / clusterSize));
  for (let cluster = 0; cluster < held.length; ) {
    let next = cluster;
    while (next < held.length && next - cluster < most && held[next]) next++;
    if (next > cluster) {
      const offset = cluster * clusterSize;
      yield { offset, length: Math.min(next * clusterSize, size) - offset };
    }
    cluster = Math.max(next, cluster + 1);
  }
}

/** Copies clusters from one image to the other; nobody else writes to that one. */
export function* copyClusters(
  held: Held,
  from: Top,
  to: Top,
  shape: { clusterSize: number; size: number },
  work: Work,
): Operation<void> {
  const copy = function* ({ offset, length }: Range): Operation<void> {
    work.requireWanted();
    const bytes = new Uint8Array(length);
    yield* "image" in from ? read(from.image, bytes, offset) : from.plain.read(bytes, offset);
    // What the guest wrote shows in its own file before a copy of it does beneath: whenever the process dies, in order.
    if ("image" in from) yield* publish(from.image);
    yield* "image" in to ? write(to.image, bytes, offset) : to.plain.write(bytes, offset);
    work.moved(length);
  };
  yield* together(forEach(piecesOf(held, shape.clusterSize, shape.size), copy));
}

/**
 * Copies into an image that a guest uses what lies beneath it: cluster by cluster under its lock, and only where the guest
 * has not written meanwhile.
 */
export function* pullClusters(held: Held, top: Image, size: number, work: Work): Operation<void> {
  const { clusterSize } = top;
  const pull = function* ({ offset, length }: Range): Operation<void> {
    work.requireWanted();
    yield* withClusters(top, offset, length, true, () => fillGaps(top, offset, length));
    work.moved(length);
  };
  yield* together(forEach(piecesOf(held, clusterSize, size), pull));
}

function* fillGaps(top: Image, offset: number, length: number): Operation<void> {
  const { clusterSize } = top;
  for (let at = offset; at < offset + length; at += clusterSize) {
    if (top.engine.bat[at / clusterSize] !== 0) continue;
    const bytes = new Uint8Array(Math.min(clusterSize, offset + length - at));
    yield* readBase(top.base, bytes, at);
    yield* changing(top, at, bytes.length, () => store(top, bytes, at));
  }
}

/** The files of an image, as one that was opened for a merge alone has them. */
export const mediumOf = (side: Top): Medium => ("image" in side ? side.image.medium : side.plain);
