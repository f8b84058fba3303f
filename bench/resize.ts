/** What it costs that a disk grows whose BAT has no room: an image of a million clusters, all in use, gets twice as many. */
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { HEADER_SIZE } from "../src/format/header.js";
import { DiskSync } from "../src/index.js";
import { FileStorageSync } from "../src/node.js";
import { dataStart, makeFullImage } from "./full-image.js";
import { once, type Question, type Row } from "./question.js";

const CLUSTERS = 2 ** 20;

export const resize: Question = {
  name: "resize",
  title: "Resize: a full image of 1 Mi clusters gets twice as many, so that its BAT has to pass its room",
  bound: "the clusters that lie where the longer BAT goes have to be copied, and their entries written anew.",
  async run({ folder }) {
    return { rows: [2 ** 20, 2 ** 16, 2 ** 12].map((clusterSize) => growFull(join(folder, "full.hds"), clusterSize)) };
  },
};

function growFull(path: string, clusterSize: number): Row {
  makeFull(path, clusterSize);
  const storage = CountingStorage.open(path);
  const disk = DiskSync.open(storage);
  const before = entriesOf(path);
  Object.assign(storage, { bytesRead: 0, bytesWritten: 0 });
  const start = performance.now();
  disk.resize(2 * CLUSTERS * clusterSize);
  const milliseconds = performance.now() - start;
  const { bytesRead, bytesWritten } = storage;
  const after = entriesOf(path);
  disk.close();
  rmSync(path);
  const inTheWay = dataStart(2 * CLUSTERS, clusterSize) - dataStart(CLUSTERS, clusterSize);
  const moved = before.filter((entry, cluster) => entry !== after[cluster]).length;
  return {
    what: `read and written, clusters of ${clusterSize / 1024} KiB`,
    against: "what is in the way, read and written",
    ...{
      ratio: (2 * inTheWay) / (bytesRead + bytesWritten),
      spread: once((2 * inTheWay) / (bytesRead + bytesWritten)),
    },
    ...{ own: (bytesRead + bytesWritten) / 2 ** 20, other: (2 * inTheWay) / 2 ** 20, unit: "MiB" },
    note: `${moved} of ${inTheWay / clusterSize} clusters moved, ${milliseconds.toFixed(0)} ms`,
  };
}

/** The entries of the first clusters, as the file has them. */
function entriesOf(path: string): Uint32Array {
  const bat = new Uint32Array(CLUSTERS);
  const file = openSync(path, "r");
  readSync(file, new Uint8Array(bat.buffer), 0, bat.byteLength, HEADER_SIZE);
  closeSync(file);
  return bat;
}

/** An image with every cluster allocated, the last one first; the clusters that are in the way hold data, the others are holes. */
function makeFull(path: string, clusterSize: number): void {
  makeFullImage(path, CLUSTERS, clusterSize, (cluster) => CLUSTERS - 1 - cluster);
  const start = dataStart(CLUSTERS, clusterSize);
  const data = new Uint8Array(dataStart(2 * CLUSTERS, clusterSize) - start).fill(0x5a);
  const file = openSync(path, "r+");
  writeSync(file, data, 0, data.length, start);
  closeSync(file);
}

class CountingStorage extends FileStorageSync {
  bytesRead = 0;
  bytesWritten = 0;

  static override open(path: string): CountingStorage {
    return new CountingStorage(path, {});
  }

  override read(buffer: Uint8Array, offset: number): number {
    this.bytesRead += buffer.length;
    return super.read(buffer, offset);
  }

  override write(buffer: Uint8Array, offset: number): number {
    this.bytesWritten += buffer.length;
    return super.write(buffer, offset);
  }
}
