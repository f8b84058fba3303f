/** Images for the playground's tests, in files. */
import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { bootSector } from "../../examples/boot-sector.js";
import { BundleSync } from "../../src/bundle.js";
import { createFileSync, FileFolderSync, openFileSync } from "../../src/node.js";
import { makeImage } from "../support/image.js";

const CLUSTER = 64 * 1024;

/** A disk that boots, counts its starts in a sector and tells so on the serial port. */
export function writeBootImage(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  const disk = createFileSync(path, { size: 64 * CLUSTER, clusterSize: CLUSTER });
  disk.write(bootSector(), 0);
  disk.close();
  return path;
}

/** A folder as Parallels Desktop makes them: images, and what describes them. */
export function writeBundle(folder: string, ...images: string[]): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "disk.hdd"), "");
  writeFileSync(join(folder, "Snapshots.xml"), "<x/>");
  for (const name of images) writeBootImage(join(folder, name));
  return folder;
}

/** A bundle that boots, with a snapshot of the disk before its second cluster was written; answers the snapshot's GUID. */
export function writeBootBundle(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const image = openFileSync(writeBootImage(`${folder}.boot`));
  const bundle = BundleSync.create(FileFolderSync.open(folder), { size: image.size, clusterSize: 65536 });
  const disk = bundle.openDisk();
  const bytes = new Uint8Array(image.size);
  image.read(bytes, 0);
  disk.write(bytes.subarray(0, 65536), 0);
  const guid = bundle.createSnapshot();
  if (bytes.length > 65536) disk.write(bytes.subarray(65536), 65536);
  image.close();
  bundle.close();
  return guid;
}

/** Two entries of its BAT lead to the same cluster. */
export function writeDamagedImage(path: string): string {
  writeFileSync(path, makeImage({ format: "v2", tracks: 8, hosts: [0, 1, 1, -1, 2] }));
  return path;
}

/** 4 Mi clusters of 512 bytes, in runs of 8 that lie all over the file; sparse, where files can be. */
export function writeShuffledImage(path: string): string {
  const count = 4 * 2 ** 20;
  createFileSync(path, { size: count * 512, clusterSize: 512 }).close();
  const start = Math.ceil((64 + 4 * count) / 512);
  const entryOf = (cluster: number) =>
    start + (Math.imul(cluster >>> 3, 611_953) & (count / 8 - 1)) * 8 + (cluster & 7);
  const bat = Uint32Array.from({ length: count }, (_, cluster) => (cluster % 1024 < 900 ? entryOf(cluster) : 0));
  truncateSync(path, (start + count) * 512);
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array(bat.buffer), 0, bat.byteLength, 64);
  closeSync(file);
  return path;
}
