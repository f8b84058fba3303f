/** What both kinds of merges need: which way moves less, a snapshot that is gone and still a layer, a layer's file to write to. */
import type { Chain } from "../image/chain.js";
import { openFile } from "../medium/files.js";
import { Medium } from "../medium/medium.js";
import { closeStorage } from "../medium/transfer.js";
import { type Operation, quietly } from "../operation.js";
import type { Storage } from "../storage/storage.js";
import { unsupported } from "./bad-bundle.js";
import { isAbsolute } from "./file-names.js";
import { type Guid, NO_GUID, randomGuid } from "./guid.js";
import type { Live } from "./live.js";
import { countOf, type Held, mediumOf, without } from "./merge.js";
import { asTemporary } from "./plans.js";
import { openAlone, type Top } from "./segment.js";
import type { State } from "./state.js";

/** What the two images of a merge hold in one storage. */
export interface Pair {
  readonly lower: Held;
  readonly upper: Held;
}

/** Which way moves less, and how many bytes. A file outside of the bundle may be somebody else's, too, and is not written. */
export function cheapest(
  { descriptor }: State,
  lower: Guid,
  upper: Guid,
  pairs: readonly Pair[],
): { way: "up" | "down"; bytes: number } {
  const cost = (target: Guid, count: (pair: Pair) => number) =>
    descriptor.storages.reduce((sum, { clusterSize }, index) => {
      const outside = isAbsolute(descriptor.imageOf(index, target).file);
      return outside ? Number.POSITIVE_INFINITY : sum + count(pairs[index]) * clusterSize;
    }, 0);
  const up = cost(upper, (pair) => countOf(without(pair.lower, pair.upper)));
  const down = cost(lower, (pair) => countOf(pair.upper));
  const bytes = Math.min(up, down);
  if (bytes === Number.POSITIVE_INFINITY)
    throw unsupported(`snapshot ${lower} cannot be merged`, "its files lie outside of the bundle: copy them into it");
  return { way: down < up ? "down" : "up", bytes };
}

/** The snapshot is gone from here on, durably; its image stays in the chain, under another GUID, which is answered. */
export function* makeTemporary(state: State, guid: Guid): Operation<Guid> {
  if (state.descriptor.isTemporary(guid)) return guid; // an earlier deletion did not finish
  const temporary = randomGuid();
  yield* state.publish(asTemporary(state.descriptor, guid, temporary).descriptor);
  return temporary;
}

/**
 * Has the file of a layer that was written only be read from here on, as others may want to read it, too. What reads it
 * without a lock stands in where the lock cannot be had.
 */
export function* makeReadable(state: State, live: Live, chain: Chain, layer: number): Operation<void> {
  const { medium, file } = chain.layers[layer];
  let storage: Storage;
  try {
    storage = yield* openFile(state.folder, file, { readOnly: true, share: true });
  } catch {
    return; // it goes on being read as it is open, and only others cannot read it
  }
  yield* quietly(medium.close());
  try {
    const locked = yield* openFile(state.folder, file, { readOnly: true });
    yield* quietly(closeStorage(storage));
    storage = locked;
  } catch {
    // Somebody was quicker, who may only read what is in use.
  }
  setReader(chain, layer, storage, live);
}

/** Has a layer read by another storage of the same file. */
function setReader(chain: Chain, layer: number, storage: Storage, { face: { concurrent } }: Live): void {
  const { medium, ...rest } = chain.layers[layer];
  const { size, preallocation } = medium;
  chain.layers[layer] = { ...rest, medium: new Medium(storage, size, { preallocation, concurrent }) };
}

/** Opens the file of a layer for writing, in place of its reader: nobody else may have it then. */
export function makeWritable(state: State, live: Live, chain: Chain, layer: number): Operation<Top> {
  return live.exclusively(function* () {
    const { medium, grid, file } = chain.layers[layer];
    yield* medium.close();
    try {
      const entry = { file, guid: NO_GUID, type: grid === undefined ? "plain" : "expandable" } as const;
      const storage = yield* openFile(state.folder, file, { readOnly: false });
      const side = yield* openAlone(storage, entry, chain, state.segmentSettings(false));
      chain.layers[layer] = { medium: mediumOf(side), grid, file };
      return side;
    } catch (error) {
      setReader(chain, layer, yield* openFile(state.folder, file, { readOnly: true }), live);
      throw error;
    }
  });
}
