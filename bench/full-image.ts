/** An image in which every cluster is allocated, in order, and holds nothing: its file is a hole behind the BAT. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { DiskSync } from "../src/index.js";
import { FileStorageSync } from "../src/node.js";

const HEADER_SIZE = 64;

export function makeFullImage(path: string, clusters: number, clusterSize: number): void {
  const size = clusters * clusterSize;
  DiskSync.create(FileStorageSync.open(path, { create: "new" }), { size, clusterSize }).close();
  const first = Math.ceil((HEADER_SIZE + 4 * clusters) / clusterSize);
  const bat = Uint32Array.from({ length: clusters }, (_, cluster) => first + cluster);
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array(bat.buffer), 0, bat.byteLength, HEADER_SIZE);
  ftruncateSync(file, first * clusterSize + size);
  closeSync(file);
}
