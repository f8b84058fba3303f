/** What the page asks of the disk worker. Bytes of disks go over a port of their own, per disk: see `open`. */
import type { SnapshotInfo } from "../../src/bundle.js";
import type { Extent, Format } from "../../src/index.js";

/** An image or a bundle that is kept in this browser. */
export interface KeptDisk {
  name: string;
  /** The length of its files in bytes. */
  bytes: number;
  /** When it was last written, in milliseconds since 1970. */
  modified: number;
}

export interface Shelf {
  disks: KeptDisk[];
  /** What this site has stored, and may store, in bytes; as far as the browser tells. */
  used: number | undefined;
  quota: number | undefined;
}

export interface NewDisk {
  name: string;
  size: number;
  clusterSize: number;
  format: Format;
}

/** Where a disk lies: kept here, or files of the person's own, which are only read; of a bundle maybe one snapshot of it. */
export type Source = { name: string; snapshot?: string } | { file: File } | OwnBundle;

export interface OwnBundle {
  bundle: string;
  files: File[];
  snapshot?: string;
}

/** What the page shows of a bundle. */
export interface BundleView {
  /** The GUIDs of the snapshot that is open, and of the one where a guest writes. */
  shown: string;
  top: string;
  /** Parents before children. */
  snapshots: SnapshotInfo[];
  /** How many parts the disk is split into. */
  parts: number;
  /** How many images lie on each other in what is shown. */
  layers: number;
}

export interface Opened {
  /** What `picture`, `extent` and `close` know it by. */
  id: number;
  /** For `connectDisk`. */
  port: MessagePort;
  /** It was opened for reading only, because it is damaged. */
  damaged: boolean;
  bundle?: BundleView;
}

export interface PictureRequest {
  id: number;
  /** The part of the disk to show, in guest bytes. */
  offset: number;
  length: number;
  /** How many cells there may be. */
  mostCells: number;
}

/** A part of a disk as cells, each a whole number of clusters. Arrays have one number a cell. */
export interface PictureData {
  offset: number;
  length: number;
  /** Guest bytes in a cell. */
  cellSize: number;
  /** Bytes that the image holds. */
  data: Float64Array<ArrayBuffer>;
  /** Bytes that lie in a layer beneath. */
  beneath: Float64Array<ArrayBuffer>;
  /** The place of their first extent in the file. */
  place: Float64Array<ArrayBuffer>;
  /** Extents that begin here and do not follow their predecessor in the file. */
  breaks: Uint32Array<ArrayBuffer>;
  /** Bytes of data in each slot of the file; of the whole disk's only where all of it is shown. */
  slots: Float64Array<ArrayBuffer>;
  extents: number;
  fileSize: number;
  dataOffset: number;
}

/** The verbs: what is asked, what is answered. */
export interface Verbs {
  shelf(nothing: undefined): Shelf;
  create(disk: NewDisk): string;
  /** Copies a file here; answers the name it got. Progress: 0 to 1. */
  keep(file: File): string;
  /** The same for a bundle's files. */
  keepBundle(bundle: OwnBundle): string;
  /** Keeps the disk as it is now. */
  takeSnapshot(id: number): BundleView;
  /** Has the disk go on from a snapshot: what came after is dropped. */
  switchSnapshot(which: { id: number; guid: string }): BundleView;
  /** Progress: 0 to 1. */
  deleteSnapshot(which: { id: number; guid: string }): BundleView;
  remove(name: string): void;
  open(source: Source): Opened;
  close(id: number): void;
  picture(request: PictureRequest): PictureData;
  /** The first extent of data in a range, whole, or what lies at its start. */
  extent(range: { id: number; offset: number; length: number }): Extent;
  /** Opens a kept image as plain bytes, or the disk of a bundle, to copy it out; answers its length. */
  beginExport(name: string): number;
  exportPiece(range: { offset: number; length: number }): Uint8Array<ArrayBuffer>;
  endExport(nothing: undefined): void;
}

export const SLOTS = 448;
