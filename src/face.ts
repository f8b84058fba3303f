/** What the two faces share: the properties of an open disk. */
// The declarations name Symbol.dispose: with this a consumer's `lib` need not have it.
/// <reference lib="esnext.disposable" preserve="true" />

import type { Format } from "./format/header.js";
import { type BitmapInfo, bitmapInfos } from "./image/bitmap-options.js";
import type { Image } from "./image/image.js";
import { type DiskInfo, infoOf } from "./image/info.js";
import type { RepairReport } from "./image/reports.js";

export abstract class Face {
  protected readonly image: Image;

  /** @internal */
  constructor(image: Image) {
    this.image = image;
  }

  /** @internal For verbs that are no methods, so that who does not use them does not load them. */
  static imageOf(face: Face): Image {
    return face.image;
  }

  /** The disk's size in bytes. */
  get size(): number {
    return this.image.size;
  }

  /** Bytes per cluster, the unit of allocation. */
  get clusterSize(): number {
    return this.image.clusterSize;
  }

  /** Clusters that the BAT can map. */
  get clusterCount(): number {
    return this.image.engine.entryCount;
  }

  /** Guest data that the image itself holds, in whole clusters. */
  get allocatedBytes(): number {
    return this.image.engine.allocatedCount * this.image.clusterSize;
  }

  /** The version of the format. */
  get format(): Format {
    return this.image.header.format;
  }

  get readOnly(): boolean {
    return this.image.readOnly;
  }

  /** Counts the changes of the disk's bytes since it was opened: what was read stays true for as long as the count does. */
  get generation(): number {
    return this.image.generation;
  }

  /** The name of the storage it stands on, where that has one. */
  get path(): string | undefined {
    return this.image.medium.storage.path ?? undefined;
  }

  /** Its dirty bitmaps: which parts of it changed since they were made or cleared. */
  get bitmaps(): readonly BitmapInfo[] {
    return bitmapInfos(this.image);
  }

  /** What a repair at opening found and did; undefined if none was asked for. */
  get repaired(): RepairReport | undefined {
    return this.image.repaired;
  }

  /** Everything else there is to know, as of now. */
  get info(): DiskInfo {
    return infoOf(this.image);
  }
}
