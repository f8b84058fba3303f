/** What there is to know about an open disk. */
import type { Engine, EngineKind } from "../engine/engine.js";
import { reasonOf } from "../errors.js";
import { type Geometry, geometryOf } from "../format/geometry.js";
import type { Format } from "../format/header.js";
import type { LockKind } from "../storage/storage.js";
import { type BitmapInfo, bitmapInfos } from "./bitmap-options.js";
import { problemOf } from "./extension.js";
import { findingsOf } from "./findings.js";
import { sectorsToBytes } from "./grid.js";
import type { Image } from "./image.js";
import type { Finding, PreallocationMode } from "./reports.js";

/** Sizes and offsets are in bytes. */
export interface DiskInfo {
  format: Format;
  /** The disk's size as a guest sees it. */
  size: number;
  clusterSize: number;
  /** Clusters that the BAT can map. */
  clusterCount: number;
  /** Guest data that the image itself holds, in whole clusters. */
  allocatedBytes: number;
  /** The image file's length. */
  fileSize: number;
  /** One past the last byte of the file that is in use. */
  endOffset: number;
  /** Where the data area begins. */
  dataOffset: number;
  /** The in_use field, as of now. */
  inUse: number;
  /** The image was not closed cleanly by whoever had it before. */
  unclean: boolean;
  /** The image reads as empty whatever its BAT says. */
  emptyFlag: boolean;
  /** Whether there is a format extension, and why it could not be understood if so. */
  extension: { present: boolean; offset?: number; problem?: string };
  /** The dirty bitmaps in it. */
  bitmaps: BitmapInfo[];
  /** The header's geometry, with the sectors per track that Parallels Desktop derives. */
  geometry: Geometry;
  /** Which engine works: "js" also where WebAssembly was wanted but is not to be had. */
  engine: EngineKind;
  /** Why this disk does without WebAssembly unasked: a Content-Security-Policy without 'wasm-unsafe-eval', or no memory for it. */
  engineFallback?: string;
  readOnly: boolean;
  /** How other processes are kept out: "system" (QEMU's tools, too), "file" (only this library), "none"; absent where the storage knows no locks. */
  lock?: LockKind;
  /** Why the lock is not the system's. */
  lockFallback?: string;
  /** How the file grows; `fallback` says why "falloc" is not what happens, once growing has shown it. */
  preallocation: { mode: PreallocationMode; size: number; fallback?: string };
  /** Allocated clusters that do not follow their predecessor in the file. */
  fragmentedClusters: number;
  /** What is wrong, as far as opening the image tells. */
  findings: Finding[];
}

export function infoOf(image: Image): DiskInfo {
  const { header, engine, tables, medium } = image;
  const problem = problemOf(tables.extension);
  const { mode, size, fallback } = medium.preallocation;
  const present = header.extensionOffset !== 0;
  return {
    format: header.format,
    size: image.size,
    clusterSize: image.clusterSize,
    clusterCount: engine.entryCount,
    allocatedBytes: engine.allocatedCount * image.clusterSize,
    fileSize: medium.size,
    endOffset: tables.end,
    dataOffset: tables.grid.dataStart,
    inUse: header.inUse,
    unclean: image.foundUnclean,
    emptyFlag: tables.emptyFlag,
    extension: present
      ? { present, offset: sectorsToBytes(header.extensionOffset), ...(problem === undefined ? {} : { problem }) }
      : { present },
    bitmaps: bitmapInfos(image),
    geometry: { cylinders: header.cylinders, heads: header.heads, sectors: geometryOf(header.sectorCount).sectors },
    engine: engine.kind,
    ...fallbackOf(engine),
    readOnly: image.readOnly,
    ...lockOf(image),
    preallocation: { mode, size, ...(fallback === undefined ? {} : { fallback }) },
    fragmentedClusters: engine.countFragments(),
    findings: findingsOf(image),
  };
}

function lockOf({
  medium: {
    storage: { lock, lockFallback },
  },
}: Image): Pick<DiskInfo, "lock" | "lockFallback"> {
  if (lock === undefined) return {};
  return lockFallback === undefined ? { lock } : { lock, lockFallback };
}

function fallbackOf({ fallback }: Engine): Pick<DiskInfo, "engineFallback"> {
  return fallback === undefined ? {} : { engineFallback: reasonOf(fallback.cause ?? fallback) };
}
