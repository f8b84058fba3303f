/**
 * Merging a snapshot with the top, while a guest may write to it. Up, each cluster is copied under its lock, where the guest
 * has not written. Down, the top goes on being written until the last moment: what was written since it was copied is
 * copied again, until little is left, which is copied while requests wait; then the snapshot's file is the top.
 */
import { flush } from "../image/flush.js";
import type { Image } from "../image/image.js";
import { type Operation, quietly } from "../operation.js";
import type { Work } from "../progress.js";
import { publishOver, seal } from "./create-snapshot.js";
import type { Guid } from "./guid.js";
import type { Live } from "./live.js";
import { copyClusters, countOf, type Held, heldBy, mediumOf, pullClusters, without } from "./merge.js";
import { cheapest, makeTemporary, makeWritable, type Pair } from "./merging.js";
import { withoutSnapshot } from "./plans.js";
import { readopt, type Segment, setBeneath, sideOf, type Top } from "./segment.js";
import type { State } from "./state.js";

/** Passes over what the guest has written meanwhile; one that writes faster than is copied waits at the end. */
const MOST_PASSES = 8;
/** So few clusters are copied while requests wait. */
const FEW = 16;

export function* mergeWithTop(state: State, live: Live, guid: Guid, work: Work): Operation<void> {
  const reading = state.segmentSettings(true);
  const pairs: Pair[] = [];
  for (const { chain, top, clusterSize, size } of live.segments) {
    const below = yield* sideOf(chain.layers[chain.layers.length - 1], reading);
    pairs.push({
      lower: yield* heldBy(below, clusterSize, size),
      upper: yield* heldBy(top, clusterSize, size),
    });
  }
  const { way, bytes } = cheapest(state, guid, state.descriptor.topGuid, pairs);
  work.expect(bytes);
  if (way === "down") yield* mergeDown(state, live, guid, work);
  else yield* mergeUp(state, live, guid, pairs, work);
}

function* mergeUp(state: State, live: Live, guid: Guid, pairs: readonly Pair[], work: Work): Operation<void> {
  for (const [index, { top, size }] of live.segments.entries()) {
    const { lower, upper } = pairs[index];
    yield* pullClusters(without(lower, upper), imageOf(top), size, work);
  }
  const plan = withoutSnapshot(state.descriptor, guid, "child-file");
  const gone = live.segments.map(({ chain }) => chain.layers[chain.layers.length - 1].medium);
  yield* live.exclusively(function* () {
    for (const { top } of live.segments) yield* flush(imageOf(top));
    yield* publishOver(state, live, plan.descriptor, function* () {
      try {
        for (const { chain, top } of live.segments) {
          chain.layers.pop();
          yield* readopt(chain, state.segmentSettings(true));
          setBeneath(imageOf(top), chain, live.face);
        }
      } finally {
        for (const medium of gone) yield* quietly(medium.close());
      }
    });
  });
  yield* state.remove(plan.removed);
}

function* mergeDown(state: State, live: Live, guid: Guid, work: Work): Operation<void> {
  const old = live.segments;
  const targets: Top[] = [];
  const written = old.map(({ top, size }) => new Written(imageOf(top), size));
  try {
    for (const [index, { top, clusterSize, size }] of old.entries())
      written[index].add(yield* heldBy(top, clusterSize, size));
    for (const { chain } of old) targets.push(yield* makeWritable(state, live, chain, chain.layers.length - 1));
    const temporary = yield* makeTemporary(state, guid); // once all files are ours: who reads one has the snapshot stay
    for (const [index, segment] of old.entries())
      for (let pass = 0; pass < MOST_PASSES && (pass === 0 || written[index].count > FEW); pass++)
        yield* copyClusters(written[index].take(), segment.top, targets[index], segment, work);
    const plan = withoutSnapshot(state.descriptor, temporary, "parent-file");
    yield* live.exclusively(function* () {
      for (const [index, segment] of old.entries()) {
        yield* copyClusters(written[index].take(), segment.top, targets[index], segment, work);
        yield* seal(targets[index]);
      }
      yield* publishOver(state, live, plan.descriptor, () => goDown(state, live, targets));
    });
    yield* state.remove(plan.removed);
  } catch (error) {
    if (live.segments === old)
      for (const target of targets) yield* quietly(live.closed ? mediumOf(target).close() : seal(target));
    throw error;
  } finally {
    for (const { top } of old) imageOf(top).onChange = undefined;
  }
}

/** The disk goes on with the files below. */
function* goDown(state: State, live: Live, targets: readonly Top[]): Operation<void> {
  const segments: Segment[] = [];
  for (const [index, segment] of live.segments.entries()) {
    const { chain } = segment;
    const top = targets[index];
    chain.layers.pop();
    yield* readopt(chain, state.segmentSettings(true));
    if ("image" in top) setBeneath(top.image, chain, live.face);
    segments.push({ ...segment, top });
  }
  const old = live.segments;
  yield* live.replace(segments);
  for (const { top } of old) yield* quietly(mediumOf(top).close());
}

/** The clusters of an image that were written since they were last taken. */
class Written {
  #held: Held;

  constructor(image: Image, size: number) {
    const { clusterSize } = image;
    this.#held = new Uint8Array(Math.ceil(size / clusterSize));
    image.onChange = (offset, length) =>
      this.#held.fill(1, Math.floor(offset / clusterSize), Math.ceil((offset + length) / clusterSize));
  }

  get count(): number {
    return countOf(this.#held);
  }

  add(held: Held): void {
    for (const [cluster, is] of held.entries()) if (is) this.#held[cluster] = 1;
  }

  take(): Held {
    const held = this.#held;
    this.#held = new Uint8Array(held.length);
    return held;
  }
}

/** A top that stands on another image has tables: only a root may be plain. */
function imageOf(top: Top): Image {
  if ("image" in top) return top.image;
  throw new Error("a plain image stands on another one");
}
