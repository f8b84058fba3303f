/** What a history plays on: the image it begins with, the base beneath, the engine, and what the storage can do. */
import { DiskSync } from "../../src/disk-sync.js";
import type { EngineKind } from "../../src/engine/engine.js";
import { encodeHeader, type Format, HEADER_SIZE } from "../../src/format/header.js";
import type { PreallocationMode } from "../../src/image/reports.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { withExtension } from "../support/extension.js";
import { below, patternBytes, type Random } from "../support/random.js";
import { type Features, SECTOR } from "./crash-storage.js";

/**
 * `new` has nothing allocated, `used` some clusters; `emptyFlag` is a used one whose header says that it is empty;
 * `derived` is a v1 image whose header does not say where its data begins, `shifted` one whose clusters then begin a
 * sector later than the rule says (VirtualBox writes both); `extended` is a used one with a format extension.
 */
export type Start = "new" | "used" | "extended" | "emptyFlag" | "derived" | "shifted";

export interface Setting {
  format: Format;
  clusterSize: number;
  /** The disk's, in bytes. */
  size: number;
  engine: EngineKind;
  start: Start;
  prealloc: { mode: PreallocationMode; size: number };
  features: Features;
  /** Raw bytes; may be fewer than the disk has. */
  base?: MemoryStorage;
}

/** How big things are: few sectors, so that all states can be visited, or many; or a BAT that is about to need more room. */
export type Scale = "small" | "large" | "edge";

const SIZES: Record<Scale, readonly { clusterSize: number; least: number; most: number }[]> = {
  small: [
    { clusterSize: 512, least: 2, most: 8 },
    { clusterSize: 1024, least: 2, most: 5 },
  ],
  large: [
    { clusterSize: 512, least: 20, most: 150 }, // a BAT of more than one sector
    { clusterSize: 1024, least: 4, most: 12 },
    { clusterSize: 4096, least: 2, most: 6 },
    { clusterSize: 63 * SECTOR, least: 1, most: 2 },
  ],
  edge: [{ clusterSize: 512, least: 108, most: 112 }],
};

export function randomSetting(random: Random, scale: Scale): Setting {
  const { clusterSize, least, most } = choose(random, SIZES[scale]);
  const clusters = least + below(random, most - least + 1);
  // One disk in four ends in the midst of a cluster.
  const cut = random() < 0.25 ? below(random, clusterSize / SECTOR) * SECTOR : 0;
  const size = clusters * clusterSize - cut;
  const format: Format = random() < 0.5 ? "v1" : "v2";
  const starts: Start[] = [
    "new",
    "used",
    "used",
    "emptyFlag",
    "extended",
    ...((format === "v1" ? ["derived", "shifted"] : []) as Start[]),
  ];
  const start = choose(random, starts);
  return {
    format,
    clusterSize,
    size,
    start,
    engine: random() < 0.75 ? "wasm" : "js",
    prealloc: {
      mode: choose(random, ["off", "truncate", "falloc"] as const),
      size: (1 + below(random, 3)) * clusterSize,
    },
    features: { punch: random() < 0.7, allocate: random() < 0.7 },
    ...(start === "emptyFlag" || random() < 0.7 ? {} : { base: randomBase(random, size) }),
  };
}

export const choose = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)];

/** Shorter than the disk, as long, or longer; not always in whole sectors. */
function randomBase(random: Random, size: number): MemoryStorage {
  return new MemoryStorage(patternBytes(0xba5e, choose(random, [size >> 1, size - 100, size, size + 1000])));
}

/** The image's bytes at the start, closed cleanly. */
export function startImage(setting: Setting, random: Random): Uint8Array<ArrayBuffer> {
  const storage =
    setting.start === "derived" || setting.start === "shifted" ? withoutOffset(setting) : created(setting);
  if (setting.start === "new") return storage.toUint8Array();
  const disk = DiskSync.open(storage, { engine: "js", ...baseOf(setting) });
  const { clusterSize, size } = setting;
  for (let cluster = 0; cluster < Math.min(12, size / clusterSize); cluster++) {
    if (random() < 0.5 && (setting.start !== "shifted" || cluster > 0)) continue;
    const offset = cluster * clusterSize;
    disk.write(patternBytes(1000 + cluster, Math.min(clusterSize, size - offset)), offset);
  }
  disk.close();
  const bytes = storage.toUint8Array();
  if (setting.start === "emptyFlag") bytes[FLAGS] = 1;
  return setting.start === "extended" ? withExtension(bytes) : bytes;
}

const FLAGS = 52;

/** What the disk reads as at the start. */
export function contentOf(setting: Setting, image: Uint8Array): Uint8Array {
  const disk = DiskSync.open(new MemoryStorage(image), { readOnly: true, engine: "js", ...baseOf(setting) });
  const content = new Uint8Array(disk.size);
  disk.read(content, 0);
  return content;
}

export const baseOf = ({ base }: Setting): { base?: MemoryStorage } => (base === undefined ? {} : { base });

function created({ size, clusterSize, format }: Setting): MemoryStorage {
  const storage = new MemoryStorage();
  DiskSync.create(storage, { size, clusterSize, format, engine: "js" }).close();
  return new MemoryStorage(storage.toUint8Array());
}

/** An empty v1 image with a data offset of 0; a shifted one has its first cluster a sector later than is derived. */
function withoutOffset({ size, clusterSize, start }: Setting): MemoryStorage {
  const tracks = clusterSize / SECTOR;
  const batEntries = Math.ceil(size / clusterSize);
  const dataSector = Math.ceil((HEADER_SIZE + 4 * batEntries) / SECTOR) + (start === "shifted" ? 1 : 0);
  const fields = { heads: 16, cylinders: 1, tracks, batEntries, sectorCount: size / SECTOR };
  const rest = { inUse: 0, dataOffset: 0, flags: 0, extensionOffset: 0 };
  const bytes = new Uint8Array(dataSector * SECTOR + (start === "shifted" ? clusterSize : 0));
  bytes.set(encodeHeader({ format: "v1", ...fields, ...rest }));
  if (start === "shifted") {
    new DataView(bytes.buffer).setUint32(HEADER_SIZE, dataSector, true);
    bytes.set(patternBytes(999, clusterSize), dataSector * SECTOR);
  }
  return new MemoryStorage(bytes);
}

export function describeSetting({
  format,
  clusterSize,
  size,
  engine,
  start,
  prealloc,
  features,
  base,
}: Setting): string {
  const can = [features.punch ? "punches" : "", features.allocate ? "allocates" : ""].filter((word) => word !== "");
  const beneath = base === undefined ? "no base" : `a base of ${base.size()} bytes`;
  return `${format}, ${size} bytes in clusters of ${clusterSize}, ${engine} engine, ${start} image, ${beneath}, prealloc ${prealloc.mode} ${prealloc.size}, storage ${can.join(" and ") || "only writes"}`;
}
