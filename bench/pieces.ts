/** Sequential reads of 1 MiB from an image whose clusters lie in runs of 8, beside raw reads of the same pieces. */
import * as fs from "node:fs";
import { join } from "node:path";
import type { DiskSync } from "../src/index.js";
import { compare } from "../src/measure/compare.js";
import { inFlight, takeTurns, type Work } from "../src/measure/turns.js";
import { createFileSync, openFile, openFileSync } from "../src/node.js";
import type { Question, Row } from "./question.js";

const SIZE = 64 * 2 ** 20;
const RUN = 8 * 65536;
const BLOCK = 2 ** 20;
const IN_FLIGHT = 8;

export const pieces: Question = {
  name: "pieces",
  title: "Sequential reads of 1 MiB where clusters of 64 KiB lie in runs of 8, beside raw reads of the same pieces",
  bound: "the copy out of the page cache, and, asynchronous, a trip through libuv's threads for each piece.",
  async run({ quick, folder }) {
    const path = join(folder, "pieces.hds");
    const options = { rounds: quick ? 5 : 21, milliseconds: quick ? 20 : 100 };
    const requests = requestsOf(makeScattered(path));
    return { rows: [await readSync(path, requests, options), await readAsync(path, requests, options)] };
  },
};

/** Where a request's bytes lie: pieces of a buffer, and their places in the file. */
interface Request {
  offset: number;
  parts: { from: number; length: number; fileOffset: number }[];
}
type Options = Parameters<typeof takeTurns>[1];

function makeScattered(path: string): DiskSync {
  const disk = createFileSync(path, { size: SIZE, clusterSize: 65536, replace: true });
  const run = new Uint8Array(RUN).fill(0x5a);
  const count = SIZE / RUN;
  for (let index = 0; index < count; index++) disk.write(run, ((index * 37) % count) * RUN);
  disk.flush();
  return disk;
}

function requestsOf(disk: DiskSync): Request[] {
  const requests: Request[] = [];
  for (let offset = 0; offset < SIZE; offset += BLOCK) {
    const parts = disk.status(offset, BLOCK).map((extent) => {
      return { from: extent.offset - offset, length: extent.length, fileOffset: extent.fileOffset ?? 0 };
    });
    requests.push({ offset, parts });
  }
  disk.close();
  return requests;
}

async function readSync(path: string, requests: Request[], options: Options): Promise<Row> {
  const disk = openFileSync(path, { readOnly: true });
  const fd = fs.openSync(path, "r");
  const buffer = new Uint8Array(BLOCK);
  const inOrder = (read: (request: Request) => void): Work => {
    let next = 0;
    return (count) => {
      for (let done = 0; done < count; done++) read(requests[next++ % requests.length]);
    };
  };
  const works = [
    inOrder(({ offset }) => disk.read(buffer, offset)),
    inOrder(({ parts }) => {
      for (const { from, length, fileOffset } of parts) fs.readSync(fd, buffer, from, length, fileOffset);
    }),
  ];
  const [own, other] = await takeTurns(works, options);
  fs.closeSync(fd);
  disk.close();
  return rowOf("sync", own, other);
}

async function readAsync(path: string, requests: Request[], options: Options): Promise<Row> {
  const disk = await openFile(path, { readOnly: true });
  const fd = fs.openSync(path, "r");
  const buffers = Array.from({ length: IN_FLIGHT }, () => new Uint8Array(BLOCK));
  const inOrder = (read: (buffer: Uint8Array, request: Request) => Promise<unknown>): Work => {
    let next = 0;
    return inFlight(buffers, (buffer) => read(buffer, requests[next++ % requests.length]));
  };
  const rawPart = (buffer: Uint8Array, { from, length, fileOffset }: Request["parts"][number]) =>
    new Promise<void>((resolve, reject) =>
      fs.read(fd, buffer, from, length, fileOffset, (error) => (error ? reject(error) : resolve())),
    );
  const works = [
    inOrder((buffer, { offset }) => disk.read(buffer, offset)),
    inOrder((buffer, { parts }) => Promise.all(parts.map((part) => rawPart(buffer, part)))),
  ];
  const [own, other] = await takeTurns(works, options);
  fs.closeSync(fd);
  await disk.close();
  return rowOf(`async x ${IN_FLIGHT}`, own, other);
}

function rowOf(face: string, own: number[], other: number[]): Row {
  const against = "raw reads of the same pieces";
  return { what: `sequential read, 1024 KiB, ${face}`, against, ...compare(own, other), unit: "µs", target: 0.95 };
}
