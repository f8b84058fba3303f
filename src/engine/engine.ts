/**
 * The engine: the tables of one open image and the arithmetic on them. It decides where guest
 * clusters lie and which host clusters are free; it never does I/O.
 *
 * Two implementations keep this interface: `wasm.ts` (the default, tables in WebAssembly memory) and
 * `js.ts` (plain TypeScript: benchmark baseline, test oracle, fallback where WebAssembly is forbidden).
 *
 * Terms. A *guest cluster* is an index into the BAT. An *entry* is the u32 the BAT holds: 0 is
 * unallocated, else a position in entry units (sectors in v1, clusters in v2). Neighbouring clusters in
 * the file lie `step` entry units apart (v1: sectors per cluster, v2: 1). A *host cluster* is an index
 * into the data area: `entry = origin + hostCluster * step`.
 */

export type EngineKind = "wasm" | "js";

/** What `allocate` returns when no host cluster is left below the limit. */
export const NO_HOST_CLUSTER = 0xffffffff;

/** How the entries of an image relate to its data area. All fields are u32. */
export interface Grid {
  /** The entry of host cluster 0, in entry units; at least 1. */
  origin: number;
  /** The highest entry whose cluster lies wholly inside the file; 0 if there is none. */
  lastEntry: number;
  /** How many host clusters may ever exist (entries stay u32, offsets below 2^53). */
  hostLimit: number;
  /** Host clusters below this one are never allocated, though they may be free. Default: 0. */
  floor?: number;
}

/**
 * What one pass over the BAT tells. Each non-zero entry counts in exactly one of: good, `below`,
 * `outside`, `offGrid`, `duplicates` (tested in this order, the second user of a host cluster is the
 * duplicate). Only good entries mark host clusters as used.
 */
export interface ScanFacts {
  /** Entries that are not 0, good or bad. */
  allocated: number;
  /** One past the highest host cluster that a good entry uses; 0 if there is none. */
  end: number;
  /** Entries below the data area (entry < origin). */
  below: number;
  /** Entries beyond `lastEntry`. */
  outside: number;
  /** Entries that are not a whole number of clusters from the origin. */
  offGrid: number;
  /** Good entries whose host cluster an earlier entry uses already. */
  duplicates: number;
}

/**
 * The tables of one image. Arguments are trusted: callers check ranges (clusters within
 * `entryCount`, host clusters within `hostLimit`) before they call.
 */
export interface Engine {
  readonly kind: EngineKind;
  /** Why this is plain TypeScript where no kind was asked for. */
  readonly fallback: Error | undefined;
  /** How many entries the BAT has; `grow` makes them more. */
  readonly entryCount: number;
  /** Entry units between neighbouring clusters. */
  readonly step: number;

  /**
   * The BAT as the file holds it, little-endian: the storage reads straight into it. Valid until the
   * next `scan`, `grow`, `allocate` or `reserve` (WebAssembly memory may grow and detach it): fetch it afresh,
   * and copy what an asynchronous write is to take from it.
   */
  readonly batBytes: Uint8Array<ArrayBuffer>;
  /** The same memory as entries; the same lifetime. */
  readonly bat: Uint32Array<ArrayBuffer>;

  /** The entry of `origin` in force: see {@link Grid}. */
  readonly origin: number;
  /** Entries that are not 0. */
  readonly allocatedCount: number;
  /** Host clusters in use: by entries, reserved, or allocated and not linked yet. */
  readonly usedCount: number;
  /** One past the highest host cluster in use; 0 if none is. */
  readonly end: number;

  /**
   * Takes the BAT that was read into `batBytes` into service: counts what is in it and rebuilds the
   * used-cluster bitmap from its good entries. May be called again.
   */
  scan(grid: Grid): ScanFacts;

  /**
   * Makes the BAT longer, to `entryCount` entries (no less than it has): the new ones are 0, all else stays as it is, the
   * grid, too. Where memory is short it throws, and nothing has changed.
   */
  grow(entryCount: number): void;

  /**
   * How many entries, as the BAT is now, are not 0 and have a left neighbour that is not 0 and not exactly one step less:
   * as QEMU counts fragments. One pass over the BAT, a quarter of a millisecond for a million entries.
   */
  countFragments(): number;

  /**
   * Fills the extent table with the runs of `clusterCount` guest clusters from `firstCluster`, as far
   * as the table reaches, and returns how many extents it wrote. A run is either unallocated
   * (entry 0) or contiguous in the file; neighbouring runs differ (maximal runs, unless cut by the
   * range or the table's end). Bad entries are mapped like good ones.
   */
  map(firstCluster: number, clusterCount: number): number;
  /** The extent table: pairs of u32 (cluster count, entry of the first cluster); the same lifetime as `batBytes`. */
  readonly extents: Uint32Array<ArrayBuffer>;
  /** Extents the table holds. */
  readonly extentCapacity: number;

  /**
   * Takes up to `clusterCount` free neighbouring host clusters into use and returns the first
   * ({@link NO_HOST_CLUSTER} if none is left); `allocatedRun` says how many. `goal` is tried first
   * (so that guest neighbours become file neighbours) where it is free, below `end` and not below the floor;
   * else it is the lowest free host cluster from the floor on, found in constant time whatever the table holds.
   */
  allocate(clusterCount: number, goal: number): number;
  /** Length in clusters of the run that the last `allocate` returned. */
  readonly allocatedRun: number;
  /** Marks host clusters as used (extension, bitmaps, clusters held back); returns how many already were. */
  reserve(hostCluster: number, clusterCount: number): number;
  /** Makes host clusters free again. */
  release(hostCluster: number, clusterCount: number): void;
  /** The first free host cluster at or after `hostCluster`. */
  nextFree(hostCluster: number): number;
  /** The first used host cluster at or after `hostCluster`; `end` if there is none. */
  nextUsed(hostCluster: number): number;

  /** Points guest clusters at neighbouring host clusters. */
  link(firstCluster: number, hostCluster: number, clusterCount: number): void;
  /** Makes guest clusters unallocated. Host clusters stay in use until released. */
  unlink(firstCluster: number, clusterCount: number): void;
}

/** Tests ranges of its own buffer for zeros: read guest data into `buffer`, then ask. */
export interface ZeroScanner {
  readonly kind: EngineKind;
  /** Why this is plain TypeScript where no kind was asked for. */
  readonly fallback: Error | undefined;
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** Whether `length` bytes of the buffer from `offset` are all zero. Any alignment; at its best on multiples of 64. */
  isZero(offset: number, length: number): boolean;
  /** Gives the buffer back: it may be another scanner's from now on. Not while anybody may still read into it. */
  release(): void;
}
