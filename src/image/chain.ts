/**
 * What lies beneath the top image of a chain: images of one size and one cluster size, each over the one before. Who holds
 * a cluster, and where, was found at opening (engine/owners.ts), so that a read costs what one of a single image costs,
 * however many layers there are. Nobody writes to a layer while it is part of a chain.
 */
import { partOf } from "../buffers.js";
import { type Extent, STATUS_LIMIT } from "../device/block-device.js";
import { appendRun, type Verbs } from "../device/verbs.js";
import { BAD_PLACE, type LayerGrid, type Owners } from "../engine/owners.js";
import { DiskError } from "../errors.js";
import { HEADER_SIZE } from "../format/header.js";
import type { Medium } from "../medium/medium.js";
import { type Operation, together } from "../operation.js";
import { requireLimit, requireRange } from "../requests.js";
import type { Place } from "./direct.js";
import type { Grid } from "./grid.js";
import type { Image } from "./image.js";

/** One image of a chain: its own tables are not needed any more. */
export interface Layer {
  readonly medium: Medium;
  /** Where its clusters lie; absent where the file is the disk itself, byte for byte. */
  readonly grid: Grid | undefined;
  /** Its file's name. */
  readonly file: string;
}

/** A run of clusters that one layer holds in one piece, that nobody holds, or that its layer has lost. */
interface Run {
  offset: number;
  length: number;
  /** Absent where nobody holds it. */
  layer: Layer | undefined;
  depth: number;
  /** -1 where its entry leads nowhere. */
  fileOffset: number;
}

export class Chain implements Verbs {
  readonly size: number;
  readonly clusterSize: number;
  readonly owners: Owners;
  /** The root first. */
  readonly layers: Layer[] = [];

  constructor(size: number, clusterSize: number, owners: Owners) {
    this.size = size;
    this.clusterSize = clusterSize;
    this.owners = owners;
  }

  get path(): string | undefined {
    return this.layers[this.layers.length - 1]?.medium.storage.path;
  }

  /** Lays an image over the others: its BAT is read once more, and needed no longer. */
  push(image: Image, file: string, medium = image.medium): void {
    const layer = this.layers.push({ medium, grid: image.grid, file }) - 1;
    this.#eachPiece(image, (first, count, grid) => this.owners.adopt(layer, first, count, grid));
  }

  /** Lays a raw file, which holds all of the disk. */
  pushPlain(medium: Medium, file: string): void {
    const layer = this.layers.push({ medium, grid: undefined, file }) - 1;
    this.owners.adoptPlain(layer, 0, this.owners.clusterCount);
  }

  /** A layer and the one above it have become one, in the file of either; answers the layer that is not needed any more. */
  merge(layer: number, merged: Image | undefined): Layer {
    const { owners, layers } = this;
    const pair = layers.slice(layer, layer + 2);
    const isKept = ({ medium }: Layer) => (merged ? medium === merged.medium : medium === pair[0].medium);
    const [kept, gone] = isKept(pair[0]) ? pair : [pair[1], pair[0]];
    layers.splice(layer, 2, { ...kept, grid: merged?.grid });
    owners.merge(layer);
    if (merged === undefined) owners.relocatePlain(layer, 0, owners.clusterCount);
    else this.#eachPiece(merged, (first, count, grid) => owners.relocate(layer, first, count, grid));
    return gone;
  }

  #eachPiece({ medium, grid, engine }: Image, take: (first: number, count: number, grid: LayerGrid) => void): void {
    const { entries, clusterCount } = this.owners;
    const { origin, step } = grid;
    const lastEntry = grid.lastEntryIn(medium.size); // it may have grown since it was surveyed
    const total = Math.min(engine.entryCount, clusterCount);
    for (let first = 0; first < total; first += entries.length) {
      const count = Math.min(entries.length, total - first);
      entries.set(engine.bat.subarray(first, first + count));
      take(first, count, { origin, step, lastEntry });
    }
  }

  *read(buffer: Uint8Array, offset: number): Operation<void> {
    requireRange(this.size, offset, buffer.length);
    const runs = this.runsOf(offset, buffer.length, Number.POSITIVE_INFINITY);
    yield* together(
      runs.map((run) => this.#readRun(run, buffer.subarray(run.offset - offset, run.offset - offset + run.length))),
    );
  }

  // biome-ignore lint/correctness/useYield: the tables answer
  *status(offset = 0, length = this.size - offset, limit = STATUS_LIMIT): Operation<Extent[]> {
    requireRange(this.size, offset, length);
    requireLimit(limit);
    const extents: Extent[] = [];
    for (const { offset: at, length: count, layer, depth, fileOffset } of this.runsOf(offset, length, limit)) {
      const run = { offset: at, length: count, layer: depth };
      if (layer === undefined) appendRun(extents, { ...run, kind: "zero" });
      else appendRun(extents, { ...run, kind: "data", ...(fileOffset < 0 ? {} : { fileOffset }) });
    }
    return extents.slice(0, limit);
  }

  /** Where a range of few clusters lies, if in one piece. */
  directPlace(first: number, last: number, offset: number, length: number): Place | undefined {
    const { places, layers } = this.owners;
    const place = places[first];
    if (place === 0 || place === BAD_PLACE) return undefined;
    const holder = layers[first];
    for (let cluster = first + 1, next = place + 1; cluster <= last; cluster++, next++)
      if (places[cluster] !== next || layers[cluster] !== holder) return undefined;
    const layer = this.layers[holder];
    return {
      storage: layer.medium.storage,
      fileOffset: this.#fileOffsetOf(layer, place) + offset - first * this.clusterSize,
      length,
    };
  }

  /** The runs of a range, in order, or at least `limit` of its beginning. */
  runsOf(offset: number, length: number, limit: number): Run[] {
    const runs: Run[] = [];
    const { owners, clusterSize } = this;
    const end = offset + length;
    const clusterEnd = Math.ceil(end / clusterSize);
    for (let cluster = Math.floor(offset / clusterSize); cluster < clusterEnd && runs.length < limit && length > 0; ) {
      const count = owners.map(cluster, clusterEnd - cluster);
      for (let index = 0; index < count; index++) {
        const [clusters, place, holder] = owners.extents.subarray(3 * index, 3 * index + 3);
        const start = cluster * clusterSize;
        const from = Math.max(start, offset);
        const to = Math.min(start + clusters * clusterSize, end);
        runs.push({ offset: from, length: to - from, ...this.#placed(place, holder, from - start) });
        cluster += clusters;
      }
    }
    return runs;
  }

  #placed(place: number, holder: number, within: number): Omit<Run, "offset" | "length"> {
    const depth = this.layers.length - 1 - (place === 0 ? 0 : holder);
    if (place === 0) return { layer: undefined, depth, fileOffset: -1 };
    const layer = this.layers[holder];
    return { layer, depth, fileOffset: place === BAD_PLACE ? -1 : this.#fileOffsetOf(layer, place) + within };
  }

  #fileOffsetOf({ grid }: Layer, place: number): number {
    return grid === undefined ? (place - 1) * this.clusterSize : grid.hostOffsetOf(place - 1);
  }

  *#readRun({ offset, layer, fileOffset }: Run, target: Uint8Array): Operation<void> {
    if (layer === undefined) target.fill(0);
    else if (fileOffset >= 0) yield* layer.medium.read(target, fileOffset);
    else yield* this.#readDamaged(layer, target, offset);
  }

  /** Reads what a damaged layer still has of clusters that nobody is to rely on: as far as it reads by itself. */
  *#readDamaged(layer: Layer, target: Uint8Array, offset: number): Operation<void> {
    for (let at = offset; at < offset + target.length; ) {
      const cluster = Math.floor(at / this.clusterSize);
      const end = Math.min((cluster + 1) * this.clusterSize, offset + target.length);
      const fileOffset = yield* reachable(layer, cluster, at % this.clusterSize, end - at);
      if (fileOffset === undefined) throw lostCluster(layer, cluster);
      yield* layer.medium.read(partOf(target, at - offset, end - at), fileOffset);
      at = end;
    }
  }
}

/** Where a part of a cluster lies by the BAT in the layer's file, if that can be read: the cluster may be cut, or lie between two. */
function* reachable(layer: Layer, cluster: number, within: number, length: number): Operation<number | undefined> {
  const { medium, grid } = layer;
  const entry = new Uint8Array(4);
  yield* medium.read(entry, HEADER_SIZE + 4 * cluster);
  const fileOffset = grid && grid.fileOffsetOf(new DataView(entry.buffer).getUint32(0, true)) + within;
  return fileOffset !== undefined && grid?.isInside(within, fileOffset, length, medium.size) ? fileOffset : undefined;
}

function lostCluster({ medium }: Layer, cluster: number): DiskError {
  const { path } = medium.storage;
  return new DiskError(
    "BAD_ENTRY",
    `cluster ${cluster} cannot be read: its BAT entry${path === undefined ? "" : ` in ${path}`} leads outside that file's data area; run "parablock check"`,
    { cluster, path },
  );
}
