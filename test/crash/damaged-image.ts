/** Images with random damage of every kind that a repair mends, several kinds at once. */
import { DiskSync } from "../../src/disk-sync.js";
import { type Format, HEADER_SIZE, IN_USE } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { below, patternBytes, type Random } from "../support/random.js";
import { SECTOR } from "./crash-storage.js";
import { choose } from "./setting.js";

export interface DamagedImage {
  bytes: Uint8Array<ArrayBuffer>;
  format: Format;
  clusterSize: number;
  /** Where the data began before the damage, in bytes. */
  dataStart: number;
  /** Where the BAT ends, or ought to. */
  tablesEnd: number;
  /** What was done to it, for messages. */
  lines: string[];
}

const FIELD = { batEntries: 32, inUse: 44, dataOffset: 48, extensionOffset: 56 } as const;

export function damagedImage(random: Random): DamagedImage {
  const format = choose(random, ["v1", "v2"] as const);
  const clusterSize = choose(random, [512, 512, 1024, 4096]);
  // Now and then a BAT of more than one sector, which may be torn.
  const clusters = clusterSize === 512 && random() < 0.3 ? 115 + below(random, 20) : 3 + below(random, 8);
  const lines = [`${format}, ${clusters} clusters of ${clusterSize}`];
  const bytes = usedImage(random, format, clusterSize, clusters);
  const dataStart = new DataView(bytes.buffer).getUint32(FIELD.dataOffset, true) * SECTOR;
  const image = { bytes, format, clusterSize, dataStart, tablesEnd: HEADER_SIZE + 4 * clusters, lines };
  const damages = Object.keys(DAMAGES) as (keyof typeof DAMAGES)[];
  for (let count = 1 + below(random, 4); count > 0; count--) {
    const name = choose(random, damages);
    lines.push(`${name}: ${DAMAGES[name](image, random)}`);
  }
  return image;
}

function usedImage(random: Random, format: Format, clusterSize: number, clusters: number): Uint8Array<ArrayBuffer> {
  const storage = new MemoryStorage();
  const disk = DiskSync.create(storage, { size: clusters * clusterSize, clusterSize, format, engine: "js" });
  const order = Array.from({ length: clusters }, (_, cluster) => cluster).sort(() => random() - 0.5);
  const used = order.slice(0, Math.ceil(Math.min(clusters, 12) * 0.7));
  for (const cluster of used) disk.write(patternBytes(cluster, clusterSize), cluster * clusterSize);
  disk.close();
  return storage.toUint8Array();
}

/** Each does its damage and says what it did. */
const DAMAGES = {
  duplicate: (image, random) => setEntry(image, anyCluster(image, random), entryOf(image, usedCluster(image, random))),
  offGrid: (image, random) => {
    const shift = image.format === "v1" ? below(random, tracksOf(image)) : 0;
    return setEntry(image, anyCluster(image, random), entryOf(image, usedCluster(image, random)) + shift);
  },
  outside: (image, random) => {
    const end = Math.ceil(image.bytes.length / unitOf(image));
    return setEntry(image, anyCluster(image, random), choose(random, [end, end + 1, end + 10, 2 ** 32 - 1]));
  },
  below: (image, random) => setEntry(image, anyCluster(image, random), 1),
  cut: (image, random) => {
    const least = HEADER_SIZE + 4 * field(image, FIELD.batEntries);
    const size = Math.max(least, image.bytes.length - 1 - below(random, 2 * image.clusterSize));
    image.bytes = image.bytes.slice(0, size);
    return `to ${size} bytes`;
  },
  tail: (image, random) => {
    const longer = new Uint8Array(image.bytes.length + 1 + below(random, 3 * image.clusterSize)).fill(7);
    longer.set(image.bytes);
    image.bytes = longer;
    return `to ${longer.length} bytes`;
  },
  leak: (image, random) => setEntry(image, usedCluster(image, random), 0),
  dataOffset: (image, random) => {
    const end = Math.ceil(image.bytes.length / SECTOR);
    const near = end + below(random, 4) * tracksOf(image);
    const aligned = Math.ceil(near / tracksOf(image)) * tracksOf(image);
    // One inside the data area is believed, or outvoted.
    const inside = image.dataStart / SECTOR + below(random, 6) * tracksOf(image) + choose(random, [0, 0, 1]);
    const offsets = [0, 1, near, aligned, aligned + tracksOf(image), 2 ** 31, inside, inside, inside];
    return setField(image, FIELD.dataOffset, choose(random, offsets));
  },
  extension: (image, random) => setField(image, FIELD.extensionOffset, 1 + below(random, 100)),
  shortBat: (image, random) =>
    setField(image, FIELD.batEntries, Math.max(1, field(image, FIELD.batEntries) - 1 - below(random, 3))),
  unclean: (image) => setField(image, FIELD.inUse, IN_USE.open),
} satisfies Record<string, (image: DamagedImage, random: Random) => string>;

const tracksOf = ({ clusterSize }: DamagedImage): number => clusterSize / SECTOR;
const unitOf = ({ format, clusterSize }: DamagedImage): number => (format === "v1" ? SECTOR : clusterSize);

/** Where the entry of a cluster leads, in bytes; 0 for none. */
export const fileOffsetOf = (image: DamagedImage, cluster: number): number => entryOf(image, cluster) * unitOf(image);

const viewOf = ({ bytes }: DamagedImage): DataView => new DataView(bytes.buffer);
const field = (image: DamagedImage, offset: number): number => viewOf(image).getUint32(offset, true);
const entryOf = (image: DamagedImage, cluster: number): number => field(image, HEADER_SIZE + 4 * cluster);

function setField(image: DamagedImage, offset: number, value: number): string {
  viewOf(image).setUint32(offset, value, true);
  return `${value}`;
}

function setEntry(image: DamagedImage, cluster: number, entry: number): string {
  setField(image, HEADER_SIZE + 4 * cluster, entry);
  return `entry ${cluster} is ${entry}`;
}

const anyCluster = (image: DamagedImage, random: Random): number => below(random, field(image, FIELD.batEntries));

/** One that is allocated, if there is one. */
function usedCluster(image: DamagedImage, random: Random): number {
  const first = anyCluster(image, random);
  const count = field(image, FIELD.batEntries);
  for (let step = 0; step < count; step++) {
    if (entryOf(image, (first + step) % count) !== 0) return (first + step) % count;
  }
  return first;
}
