/** Images with known content that tests damage byte by byte. */
import { DiskSync } from "../../src/disk-sync.js";
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { patternBytes } from "../support/random.js";

export interface Sample {
  bytes: Uint8Array<ArrayBuffer>;
  format: Format;
  clusterSize: number;
  clusterCount: number;
  /** What the disk reads as. */
  content: Uint8Array<ArrayBuffer>;
}

const CLUSTERS = 12;
/** Guest clusters that are written, in this order: so the file's order differs from the disk's. */
const WRITTEN = [3, 0, 1, 9, 5, 4, 11];

/** A disk of 12 clusters, 7 of them allocated and full of bytes that name them. */
export function sample(format: Format, clusterSize: number): Sample {
  const storage = new MemoryStorage();
  const size = CLUSTERS * clusterSize;
  const disk = DiskSync.create(storage, { size, clusterSize, format });
  const content = new Uint8Array(size);
  for (const cluster of WRITTEN) {
    content.set(patternBytes(cluster, clusterSize), cluster * clusterSize);
    disk.write(content.subarray(cluster * clusterSize, (cluster + 1) * clusterSize), cluster * clusterSize);
  }
  disk.close();
  return { bytes: storage.toUint8Array(), format, clusterSize, clusterCount: CLUSTERS, content };
}

/** A BAT entry of an image in memory. */
export const entryOf = ({ bytes }: Sample, cluster: number): number => view(bytes).getUint32(64 + 4 * cluster, true);

export function setEntry({ bytes }: Sample, cluster: number, entry: number): void {
  view(bytes).setUint32(64 + 4 * cluster, entry, true);
}

/** A u32 of the header. */
export function setField({ bytes }: Sample, offset: number, value: number): void {
  view(bytes).setUint32(offset, value, true);
}

/** Makes the content of a guest cluster zeros, as a reader shall find it. */
export function expectZeros({ content, clusterSize }: Sample, cluster: number): void {
  content.fill(0, cluster * clusterSize, (cluster + 1) * clusterSize);
}

/** Adds bytes at the file's end. */
export function appendBytes(damaged: Sample, bytes: Uint8Array): void {
  const longer = new Uint8Array(damaged.bytes.length + bytes.length);
  longer.set(damaged.bytes);
  longer.set(bytes, damaged.bytes.length);
  damaged.bytes = longer;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
