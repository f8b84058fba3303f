/**
 * Owners: who holds each guest cluster in a chain of images, so that a read finds its bytes with one look however deep the
 * chain is. Made at opening from the root upwards, after which nobody needs the lower images' BATs. Like the engine it
 * has two implementations, decides only, and trusts its arguments: clusters within `clusterCount`, layers up to
 * {@link MAX_LAYER}.
 *
 * Terms. A *layer* is an image of the chain: 0 is the root, and each lies on the one before. A *place* is where a cluster
 * lies in its layer's file: host cluster + 1; 0 where no layer holds the cluster.
 */

import type { EngineKind } from "./engine.js";

/** The place of a cluster whose entry leads nowhere in its layer. */
export const BAD_PLACE = 0xffffffff;

/** The highest layer there can be. */
export const MAX_LAYER = 65534;

/** Where a layer's entries lead. See `Grid` of the engine: host cluster `n` has the entry `origin + n * step`. */
export interface LayerGrid {
  origin: number;
  step: number;
  /** The highest entry whose cluster lies wholly inside the file; 0 if there is none. */
  lastEntry: number;
}

export interface Owners {
  readonly kind: EngineKind;
  /** Why this is plain TypeScript where no kind was asked for. */
  readonly fallback: Error | undefined;
  readonly clusterCount: number;

  /** The place of each cluster in the layer that holds it, 0, or {@link BAD_PLACE}. All views are valid for life. */
  readonly places: Uint32Array<ArrayBuffer>;
  /** The layer that holds each cluster; 0 where none does. */
  readonly layers: Uint16Array<ArrayBuffer>;

  /** Room for a piece of a layer's BAT: `adopt` and `relocate` take its first `count` entries. */
  readonly entries: Uint32Array<ArrayBuffer>;

  /**
   * The layer takes the clusters from `first` whose entries are not 0 over whoever had them. An entry below the origin,
   * above the last one or off the grid gives {@link BAD_PLACE}. Returns how many are bad.
   */
  adopt(layer: number, first: number, count: number, grid: LayerGrid): number;
  /** The layer takes `count` clusters from `first`; its file is the disk itself: cluster `n` is its host cluster `n`. */
  adoptPlain(layer: number, first: number, count: number): void;

  /** Layer `layer` and the one above it become one, `layer`; all that lie higher move down by one. Then `relocate` it. */
  merge(layer: number): void;
  /**
   * Says anew where a layer has what it holds of the clusters from `first`, after its file became another; an entry of 0
   * makes the cluster nobody's. Other layers' clusters stay. Returns how many entries of its own are bad.
   */
  relocate(layer: number, first: number, count: number, grid: LayerGrid): number;
  /** The same for a file that is the disk itself. */
  relocatePlain(layer: number, first: number, count: number): void;
  /** Nobody holds anything: before the layers of another chain are adopted. */
  clear(): void;

  /** How many clusters a layer holds, those hidden by layers above it not among them. One pass. */
  held(layer: number): number;

  /**
   * Fills the extent table with the runs of `count` clusters from `first`, as far as the table reaches, and returns how
   * many it wrote. A run is nobody's, or of one layer and either contiguous in its file or bad throughout; runs are
   * maximal, unless cut by the range or the table's end.
   */
  map(first: number, count: number): number;
  /** Triples (cluster count, place of the first cluster, layer). */
  readonly extents: Uint32Array<ArrayBuffer>;
  /** Extents the table holds. */
  readonly extentCapacity: number;
}
