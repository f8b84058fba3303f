/**
 * Switching to a snapshot: what was written since is dropped, and the guest goes on above the snapshot. New, empty images
 * are made durable; the descriptor that puts them above it takes the other's name; then the old ones go.
 */
import { type Operation, quietly } from "../operation.js";
import { publishOver } from "./create-snapshot.js";
import type { Guid } from "./guid.js";
import { mediumOf } from "./merge.js";
import { switchedTo } from "./plans.js";
import { closeChain, type Segment, setBeneath } from "./segment.js";
import type { State } from "./state.js";
import { dropTops, makeTops, type NewTop } from "./tops.js";

/** Goes back, or over, to a snapshot; its content is the disk's from here on. */
export function* switchSnapshot(state: State, guid: Guid): Operation<void> {
  state.descriptor.graph.parentOf(guid); // says that there is no such snapshot, before anything is opened
  yield* state.withTop(function* (live) {
    const { descriptor } = state;
    if (guid === descriptor.topGuid) return;
    const chains = yield* state.openChains(guid);
    const old = live.segments;
    let published = false;
    let removed: readonly string[] = [];
    let made: NewTop[] = [];
    try {
      made = yield* makeTops(state, old);
      const plan = switchedTo(
        descriptor,
        guid,
        made.map(({ file }) => file),
      );
      removed = plan.removed;
      const segments = old.map(
        (segment, index): Segment => ({ ...segment, chain: chains[index], top: made[index].top }),
      );
      yield* live.exclusively(() =>
        publishOver(state, live, plan.descriptor, function* () {
          published = true;
          for (const { top, chain } of segments) if ("image" in top) setBeneath(top.image, chain, live.face);
          yield* live.replace(segments);
        }),
      );
    } finally {
      if (published) yield* closeOld(old);
      else {
        for (const chain of chains) yield* quietly(closeChain(chain));
        yield* dropTops(state, made);
      }
    }
    yield* state.remove(removed);
  });
}

/** What was on top is not made durable any more: it is dropped. */
function* closeOld(segments: readonly Segment[]): Operation<void> {
  for (const { chain, top } of segments) {
    yield* quietly(closeChain(chain));
    yield* quietly(mediumOf(top).close());
  }
}
