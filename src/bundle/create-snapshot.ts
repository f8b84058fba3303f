/**
 * Taking a snapshot. The images that were on top become the snapshot's, empty ones go above them:
 *
 *   1. the new images, empty, are made durable, their names included;
 *   2. requests wait; what the guest wrote is flushed, and its images say "closed cleanly";
 *   3. the descriptor that names the new images is durable, takes the other's name, and the folder is synced;
 *   4. the open disk goes on with the new images, and requests with it.
 *
 * Whoever crashes before 3 has the disk as it was, and stray files.
 */
import { finish } from "../image/close.js";
import { flushStorage } from "../medium/transfer.js";
import { type Operation, quietly } from "../operation.js";
import type { Descriptor } from "./descriptor.js";
import { type Guid, randomGuid } from "./guid.js";
import type { Live } from "./live.js";
import { mediumOf } from "./merge.js";
import { makeReadable } from "./merging.js";
import { withSnapshot } from "./plans.js";
import { type Segment, setBeneath, type Top } from "./segment.js";
import type { State } from "./state.js";
import { dropTops, makeTops, type NewTop } from "./tops.js";

/** Takes a snapshot of the disk as it is now; answers its GUID. */
export function* createSnapshot(state: State): Operation<Guid> {
  const guid = randomGuid();
  return yield* state.withTop(function* (live) {
    const made = yield* makeTops(state, live.segments);
    try {
      const files = made.map(({ file }) => file);
      const { descriptor } = withSnapshot(state.descriptor, guid, files);
      yield* live.exclusively(function* () {
        for (const { top } of live.segments) yield* seal(top);
        yield* publishOver(state, live, descriptor, () => stack(state, live, guid, made));
      });
    } catch (error) {
      if (!state.descriptor.graph.has(guid)) yield* dropTops(state, made);
      throw error;
    }
    return guid;
  });
}

/**
 * Publishes a descriptor and has the open disk go on with what it names. Where its name may not be durable the disk goes
 * on, too - the folder has it -, but nothing that is written from here on is said to be.
 */
export function* publishOver(state: State, live: Live, next: Descriptor, swap: () => Operation<void>): Operation<void> {
  let failure: { error: unknown } | undefined;
  try {
    yield* state.publish(next);
  } catch (error) {
    if (state.descriptor !== next) throw error;
    failure = { error };
  }
  try {
    yield* swap();
  } catch (error) {
    yield* quietly(live.abandon()); // all is durable, and the folder no longer has what the open disk is made of
    throw error;
  }
  if (failure === undefined) return;
  for (const { top } of live.segments) mediumOf(top).flushError ??= failure.error;
  throw failure.error;
}

function* stack(state: State, live: Live, guid: Guid, made: readonly NewTop[]): Operation<void> {
  const segments = live.segments.map((segment, index): Segment => {
    const { chain, top } = segment;
    const { file } = state.descriptor.imageOf(index, guid);
    if ("image" in top) chain.push(top.image, file);
    else chain.pushPlain(top.plain, file);
    const { top: above } = made[index];
    if ("image" in above) setBeneath(above.image, chain, live.face);
    return { ...segment, top: above };
  });
  for (const { chain } of segments) yield* makeReadable(state, live, chain, chain.layers.length - 1);
  yield* live.replace(segments);
}

/** Makes an image durable and closed cleanly; it stays open. */
export function* seal(top: Top): Operation<void> {
  if ("image" in top) yield* finish(top.image);
  else yield* flushStorage(top.plain.storage);
}
