/**
 * The engine in WebAssembly. Like the owners and the zero scanners (`wasm-*.ts`) it sees addresses; nobody else does. Every
 * engine has an instance, and so a memory, of its own.
 *
 * Growing a memory detaches all views of it: `#refresh` is the one place that makes them, called after
 * each verb that may grow. Numbers come back as signed 32 bits, hence `>>> 0`.
 */

import { type Engine, type Grid, NO_HOST_CLUSTER, type ScanFacts } from "./engine.js";
import { BITMAP, batOf, noMemory } from "./memory.js";
import { mapRuns } from "./runs.js";
import { type EngineExports, instantiate } from "./wasm-module.js";

/** Where a verb that has more to say than one number leaves the rest: six facts of a scan, and these. */
const RUN_RESULT = 6;
const ALREADY_RESULT = 7;
const RESULT_COUNT = 8;

/** So few entries have been looked at, on average, before WebAssembly has been called. */
const SHORT = 6;

export class WasmEngine implements Engine {
  readonly kind = "wasm";
  readonly fallback = undefined;
  readonly step: number;
  readonly extentCapacity: number;

  readonly #wasm: EngineExports;
  readonly #batAddress: number;
  readonly #extentsAddress: number;
  readonly #resultsAddress: number;
  #bat!: Uint32Array<ArrayBuffer>;
  #batBytes!: Uint8Array<ArrayBuffer>;
  #extents!: Uint32Array<ArrayBuffer>;
  #results!: Uint32Array<ArrayBuffer>;
  #entryCount: number;
  #origin = 0;

  constructor(module: WebAssembly.Module, entryCount: number, step: number) {
    this.#entryCount = entryCount;
    this.step = step;
    this.#wasm = instantiate<EngineExports>(module);
    if (!this.#wasm.place(entryCount, step)) throw noMemory(batOf(entryCount));
    this.#batAddress = this.#wasm.BAT.value;
    this.#extentsAddress = this.#wasm.EXTENTS.value;
    this.#resultsAddress = this.#wasm.RESULTS.value;
    this.extentCapacity = this.#wasm.EXTENT_CAPACITY.value;
    this.#refresh();
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  get bat(): Uint32Array<ArrayBuffer> {
    return this.#bat;
  }

  get batBytes(): Uint8Array<ArrayBuffer> {
    return this.#batBytes;
  }

  get extents(): Uint32Array<ArrayBuffer> {
    return this.#extents;
  }

  get origin(): number {
    return this.#origin;
  }

  get allocatedCount(): number {
    return this.#wasm.allocatedCount() >>> 0;
  }

  get usedCount(): number {
    return this.#wasm.usedCount() >>> 0;
  }

  get end(): number {
    return this.#wasm.end() >>> 0;
  }

  get allocatedRun(): number {
    return this.#results[RUN_RESULT];
  }

  scan(grid: Grid): ScanFacts {
    this.#origin = grid.origin;
    const done = this.#wasm.scan(grid.origin, grid.lastEntry, grid.hostLimit, grid.floor ?? 0);
    this.#refresh();
    if (!done) throw noMemory(BITMAP);
    const [allocated, end, below, outside, offGrid, duplicates] = this.#results;
    return { allocated, end, below, outside, offGrid, duplicates };
  }

  grow(entryCount: number): void {
    const done = this.#wasm.grow(entryCount);
    if (done) this.#entryCount = entryCount;
    this.#refresh();
    if (!done) throw noMemory(batOf(entryCount));
  }

  countFragments(): number {
    return this.#wasm.countFragments() >>> 0;
  }

  map(firstCluster: number, clusterCount: number): number {
    return clusterCount > SHORT
      ? this.#wasm.map(firstCluster, clusterCount)
      : mapRuns(this.#bat, this.step, firstCluster, clusterCount, this.#extents);
  }

  allocate(clusterCount: number, goal: number): number {
    const first = this.#wasm.allocate(clusterCount, goal) >>> 0;
    this.#refresh();
    if (first !== NO_HOST_CLUSTER && this.allocatedRun === 0) throw noMemory(BITMAP);
    return first;
  }

  reserve(hostCluster: number, clusterCount: number): number {
    const done = this.#wasm.reserve(hostCluster, clusterCount);
    this.#refresh();
    if (!done) throw noMemory(BITMAP);
    return this.#results[ALREADY_RESULT];
  }

  release(hostCluster: number, clusterCount: number): void {
    this.#wasm.release(hostCluster, clusterCount);
  }

  nextFree(hostCluster: number): number {
    return this.#wasm.nextFree(hostCluster) >>> 0;
  }

  nextUsed(hostCluster: number): number {
    return this.#wasm.nextUsed(hostCluster) >>> 0;
  }

  link(firstCluster: number, hostCluster: number, clusterCount: number): void {
    this.#wasm.link(firstCluster, hostCluster, clusterCount);
  }

  unlink(firstCluster: number, clusterCount: number): void {
    this.#wasm.unlink(firstCluster, clusterCount);
  }

  /** Makes the views anew if the memory (a detached view has no length) or the BAT has grown since. */
  #refresh(): void {
    if (this.#extents?.length > 0 && this.#bat.length === this.#entryCount) return;
    const { buffer } = this.#wasm.memory;
    this.#extents = new Uint32Array(buffer, this.#extentsAddress, this.extentCapacity * 2);
    this.#results = new Uint32Array(buffer, this.#resultsAddress, RESULT_COUNT);
    this.#bat = new Uint32Array(buffer, this.#batAddress, this.#entryCount);
    this.#batBytes = new Uint8Array(buffer, this.#batAddress, this.#entryCount * 4);
  }
}
