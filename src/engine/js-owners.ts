/** The owners of a chain in plain TypeScript: the oracle of the other, and what runs where WebAssembly cannot. */

import { ownersOf, withMemory } from "./memory.js";
import { BAD_PLACE, type LayerGrid, type Owners } from "./owners.js";

const EXTENT_CAPACITY = 1024;
const ENTRY_CAPACITY = 16384;

export class JsOwners implements Owners {
  readonly kind = "js";
  readonly fallback: Error | undefined;
  readonly places: Uint32Array<ArrayBuffer>;
  readonly layers: Uint16Array<ArrayBuffer>;
  readonly entries = new Uint32Array(ENTRY_CAPACITY);
  readonly extents = new Uint32Array(EXTENT_CAPACITY * 3);
  readonly extentCapacity = EXTENT_CAPACITY;

  constructor(clusterCount: number, fallback?: Error) {
    this.fallback = fallback;
    const purpose = ownersOf(clusterCount);
    this.places = withMemory(purpose, () => new Uint32Array(clusterCount));
    this.layers = withMemory(purpose, () => new Uint16Array(clusterCount));
  }

  get clusterCount(): number {
    return this.places.length;
  }

  adopt(layer: number, first: number, count: number, grid: LayerGrid): number {
    let bad = 0;
    for (let index = 0; index < count; index++) {
      const entry = this.entries[index];
      if (entry !== 0) bad += this.#own(first + index, layer, placeOf(entry, grid));
    }
    return bad;
  }

  adoptPlain(layer: number, first: number, count: number): void {
    for (let cluster = first; cluster < first + count; cluster++) this.#own(cluster, layer, cluster + 1);
  }

  merge(layer: number): void {
    const { layers } = this;
    for (let cluster = 0; cluster < layers.length; cluster++) if (layers[cluster] > layer) layers[cluster]--;
  }

  relocate(layer: number, first: number, count: number, grid: LayerGrid): number {
    let bad = 0;
    for (let index = 0; index < count; index++) {
      if (!this.#isHeldBy(first + index, layer)) continue;
      const entry = this.entries[index];
      bad += entry === 0 ? this.#own(first + index, 0, 0) : this.#own(first + index, layer, placeOf(entry, grid));
    }
    return bad;
  }

  relocatePlain(layer: number, first: number, count: number): void {
    for (let cluster = first; cluster < first + count; cluster++) {
      if (this.#isHeldBy(cluster, layer)) this.#own(cluster, layer, cluster + 1);
    }
  }

  clear(): void {
    this.places.fill(0);
    this.layers.fill(0);
  }

  held(layer: number): number {
    let count = 0;
    for (let cluster = 0; cluster < this.clusterCount; cluster++) if (this.#isHeldBy(cluster, layer)) count++;
    return count;
  }

  map(first: number, count: number): number {
    const { places, layers, extents } = this;
    const limit = first + count;
    let length = 0;
    let cluster = first;
    while (cluster < limit && length < extents.length) {
      const [place, layer] = [places[cluster], layers[cluster]];
      const rise = place === 0 || place === BAD_PLACE ? 0 : 1;
      let expected = place + rise;
      let next = cluster + 1;
      // A good place is never followed by a bad one, though its number comes next.
      while (next < limit && places[next] === expected && layers[next] === layer) {
        if (rise === 1 && expected === BAD_PLACE) break;
        expected += rise;
        next++;
      }
      extents[length++] = next - cluster;
      extents[length++] = place;
      extents[length++] = layer;
      cluster = next;
    }
    return length / 3;
  }

  #isHeldBy(cluster: number, layer: number): boolean {
    return this.layers[cluster] === layer && this.places[cluster] !== 0;
  }

  /** Returns 1 if the place is bad. */
  #own(cluster: number, layer: number, place: number): number {
    this.places[cluster] = place;
    this.layers[cluster] = layer;
    return place === BAD_PLACE ? 1 : 0;
  }
}

function placeOf(entry: number, { origin, step, lastEntry }: LayerGrid): number {
  const distance = entry - origin;
  return distance < 0 || entry > lastEntry || distance % step !== 0 ? BAD_PLACE : distance / step + 1;
}
