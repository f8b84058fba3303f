/** What a disk in a bundle consists of, in bytes. */
import type { Guid } from "./guid.js";

/** An image: the content of one snapshot in one storage, as far as it differs from its parent's. */
export interface BundleImage {
  readonly guid: Guid;
  /** Plain: a raw file. Only a root has such. */
  readonly type: "expandable" | "plain";
  /** The file's name; a path where it is absolute, which the caller must allow. */
  readonly file: string;
}

/** A part of a disk; of most disks the only one. Bytes. */
export interface BundleStorage {
  readonly start: number;
  /** The first byte behind it. */
  readonly end: number;
  /** That of every expandable image in it. */
  readonly clusterSize: number;
  /** In the order of the descriptor. */
  readonly images: readonly BundleImage[];
}
