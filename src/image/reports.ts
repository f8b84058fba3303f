/** What checks and repairs tell, and how files are told to grow: shapes that other files fill. */

import type { PreallocationMode } from "../storage/storage.js";

export type { PreallocationMode };

export type FindingKind =
  | "unclean"
  | "dataOffset"
  | "batTooSmall"
  | "below"
  | "outside"
  | "offGrid"
  | "duplicate"
  | "extension"
  | "bitmap"
  | "leakedTail"
  | "leakedInside";

/** One kind of damage or waste, and how often it occurs. */
export interface Finding {
  kind: FindingKind;
  severity: "corruption" | "leak" | "note";
  /** How many clusters (or headers: 1) it concerns. */
  count: number;
  message: string;
  /** The first guest clusters it concerns, where it is about entries and a check looked for them. */
  clusters?: number[];
}

/** Counts are exact, lists of clusters show the first 100. */
export interface CheckReport {
  findings: Finding[];
  /** Places that are wrong: entries or header fields. */
  corruptions: number;
  /** Clusters of the file that nothing uses. */
  leaks: number;
  totalClusters: number;
  allocatedClusters: number;
  /** Allocated clusters that do not follow their allocated neighbour in the file. */
  fragmentedClusters: number;
  /** One past the last byte of the file that is in use. */
  imageEndOffset: number;
}

/** "leaks" frees space that nothing uses; "all" mends everything. */
export type RepairLevel = "leaks" | "all";

export interface RepairReport {
  /** What was found before. */
  before: CheckReport;
  /** What is left. */
  after: CheckReport;
  /** Header and BAT as they were, saved before entries were dropped: the name of the file, or the bytes where a storage cannot save them. */
  backup?: string | Uint8Array;
}

/** What compacting gained, or would gain. */
export interface CompactReport {
  /** In bytes. */
  fileSizeBefore: number;
  fileSizeAfter: number;
  /** Clusters in use that held nothing but zeros, and are free now. */
  zeroClusters: number;
  /** Free clusters that lay between those in use. */
  freeClusters: number;
  /** How many clusters were copied to another place; for guest order one may be so twice, which is not foreseen. */
  movedClusters: number;
}
