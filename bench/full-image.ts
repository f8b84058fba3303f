/** Images in which every cluster is allocated, and holds nothing: their files are holes behind the BAT. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { HEADER_SIZE } from "../src/format/header.js";
import { DiskSync } from "../src/index.js";
import { FileStorageSync } from "../src/node.js";

/** Makes one; `hostOf` says which of the data area's clusters a guest cluster has. Default: all in order. */
export function makeFullImage(
  path: string,
  clusters: number,
  clusterSize: number,
  hostOf = (cluster: number) => cluster,
): void {
  const size = clusters * clusterSize;
  DiskSync.create(FileStorageSync.open(path, { create: "new" }), { size, clusterSize }).close();
  const start = dataStart(clusters, clusterSize);
  const bat = Uint32Array.from({ length: clusters }, (_, cluster) => start / clusterSize + hostOf(cluster));
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array(bat.buffer), 0, bat.byteLength, HEADER_SIZE);
  ftruncateSync(file, start + size);
  closeSync(file);
}

/** Where the data begin behind a BAT of so many entries, in bytes. */
export const dataStart = (entries: number, clusterSize: number): number =>
  Math.ceil((HEADER_SIZE + 4 * entries) / clusterSize) * clusterSize;
