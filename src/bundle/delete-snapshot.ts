/**
 * Deleting a snapshot. Where nothing stands on it, its images go: the descriptor first, then the files. Where one snapshot
 * stands on it, their images become one beforehand, in the file of either, whichever way moves less:
 *
 *   up     what the child does not hold itself is copied into the child's file; every snapshot reads as before meanwhile
 *   down   what the child holds is copied into the deleted one's file, which no longer reads as that snapshot: so before
 *          that a descriptor is durable in which the snapshot is gone, and its image a temporary one under another GUID
 *
 * Then the descriptor names the one file, is durable, and the other file goes. Whoever crashes, or stops, in between has
 * all other snapshots as they were; a temporary one is merged by a repair.
 */
import type { Chain, Layer } from "../image/chain.js";
import { type Operation, quietly } from "../operation.js";
import { Work, type WorkOptions } from "../progress.js";
import { publishOver, seal } from "./create-snapshot.js";
import type { Guid } from "./guid.js";
import type { Live } from "./live.js";
import { copyClusters, heldBy, without } from "./merge.js";
import { mergeWithTop } from "./merge-top.js";
import { cheapest, makeReadable, makeTemporary, makeWritable, type Pair } from "./merging.js";
import { withoutSnapshot } from "./plans.js";
import { closeChain, sideOf, type Top } from "./segment.js";
import type { State } from "./state.js";

/** Deletes a snapshot; the others, and the disk, read as before. */
export function* deleteSnapshot(state: State, guid: Guid, options: WorkOptions): Operation<void> {
  const work = new Work(options);
  state.descriptor.graph.deletionOf(guid); // says why it cannot be, before anything is opened
  yield* state.withTop(function* (live) {
    const { descriptor } = state;
    const deletion = descriptor.graph.deletionOf(guid);
    state.requireUnread(deletion.kind === "merge" ? [guid, deletion.child] : [guid]);
    work.requireWanted();
    if (deletion.kind === "drop") {
      const plan = withoutSnapshot(descriptor, guid, "child-file");
      yield* state.publish(plan.descriptor);
      return yield* state.remove(plan.removed);
    }
    if (deletion.child === descriptor.topGuid) return yield* mergeWithTop(state, live, guid, work);
    yield* mergeLower(state, live, guid, deletion.child, work);
  });
}

/** Merges two images that are only read: of the open disk's chain, or of another branch. */
function* mergeLower(state: State, live: Live, guid: Guid, child: Guid, work: Work): Operation<void> {
  const { graph } = state.descriptor;
  const layer = graph.chainOf(child).indexOf(guid);
  if (graph.chainOf(graph.top).includes(child))
    return yield* mergeLayers(
      state,
      live,
      live.segments.map(({ chain }) => chain),
      layer,
      guid,
      work,
    );
  const chains = yield* state.openChains(child);
  try {
    yield* mergeLayers(state, live, chains, layer, guid, work);
  } finally {
    for (const chain of chains) yield* quietly(closeChain(chain));
  }
}

/** Merges layer `layer` of each chain with the one above it. */
function* mergeLayers(
  state: State,
  live: Live,
  chains: readonly Chain[],
  layer: number,
  guid: Guid,
  work: Work,
): Operation<void> {
  const reading = state.segmentSettings(true);
  const sides: { lower: Top; upper: Top }[] = [];
  const pairs: Pair[] = [];
  for (const { layers, clusterSize, size } of chains) {
    const lower = yield* sideOf(layers[layer], reading);
    const upper = yield* sideOf(layers[layer + 1], reading);
    sides.push({ lower, upper });
    pairs.push({
      lower: yield* heldBy(lower, clusterSize, size),
      upper: yield* heldBy(upper, clusterSize, size),
    });
  }
  const [child] = state.descriptor.graph.childrenOf(guid);
  const { way, bytes } = cheapest(state, guid, child, pairs);
  const goesDown = way === "down";
  work.expect(bytes);
  const target = goesDown ? layer : layer + 1;
  const merged: Top[] = [];
  for (const chain of chains) merged.push(yield* makeWritable(state, live, chain, target));
  // Once all files are ours: who reads one of them has the snapshot stay.
  const doomed = goesDown ? yield* makeTemporary(state, guid) : guid;
  for (const [index, chain] of chains.entries()) {
    const from = goesDown ? sides[index].upper : sides[index].lower;
    const to = merged[index];
    const { lower, upper } = pairs[index];
    try {
      yield* copyClusters(goesDown ? upper : without(lower, upper), from, to, chain, work);
    } finally {
      yield* seal(to);
    }
  }
  const plan = withoutSnapshot(state.descriptor, doomed, goesDown ? "parent-file" : "child-file");
  const gone: Layer[] = [];
  try {
    yield* live.exclusively(() =>
      publishOver(state, live, plan.descriptor, function* () {
        for (const [index, chain] of chains.entries()) {
          const to = merged[index];
          gone.push(chain.merge(layer, "image" in to ? to.image : undefined));
          yield* makeReadable(state, live, chain, layer);
        }
      }),
    );
  } finally {
    for (const { medium } of gone) yield* quietly(medium.close());
  }
  yield* state.remove(plan.removed);
}
