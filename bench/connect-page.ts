/**
 * Runs in a page: reads from a disk in a worker, and the same bytes by a bare message to another worker, which reads them
 * from its access handle and transfers them back. Those the page leaves where they are; the disk's are put into buffers of
 * the page's, as callers want it.
 */
import { type Spot, walk } from "../src/measure/spots.js";
import { type TurnOptions, takeTurns, type Work } from "../src/measure/turns.js";
import { connectDisk } from "../src/worker/connect.js";

export interface Asked {
  /** Bytes a request, and requests under way. */
  length: number;
  depth: number;
  options: TurnOptions;
}

/** What the bare worker is asked for. */
export interface BareRequest {
  offset: number;
  length: number;
}

/** Reads at an offset, into the buffer or into another one. */
type Read = (buffer: Uint8Array, offset: number) => Promise<unknown>;

/** Microseconds a read, by rounds: of the disk, and of the bare worker. */
async function measureReads({ length, depth, options }: Asked): Promise<number[][]> {
  const workers = ["disk", "bare"].map((name) => new Worker("/worker.js", { type: "module", name }));
  const [served, bare] = workers;
  try {
    const [disk, readBare] = await Promise.all([connectDisk(served), bareReader(bare)]);
    const spots = spotsOf(disk.size, length);
    const works = [
      lanes((buffer, offset) => disk.read(buffer, offset), spots, length, depth),
      lanes((buffer, offset) => readBare(offset, buffer.length), spots, length, depth),
    ];
    const times = await takeTurns(works, options);
    await disk.close();
    return times;
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

/** All the places on the disk; the bare worker reads its file at the same ones, a header's length before the data. */
function spotsOf(size: number, length: number): Spot[] {
  return Array.from({ length: size / length }, (_, index) => ({
    guestOffset: index * length,
    fileOffset: index * length,
  }));
}

/** So many callers, each of which reads again when it has its answer, into a buffer of its own. */
function lanes(read: Read, spots: readonly Spot[], length: number, depth: number): Work {
  const next = walk(spots, "random");
  const buffers = Array.from({ length: depth }, () => new Uint8Array(length));
  return async (count) => {
    let left = count;
    const lane = async (buffer: Uint8Array) => {
      while (left-- > 0) await read(buffer, next().guestOffset);
    };
    await Promise.all(buffers.map(lane));
  };
}

/** Resolves when the worker has its file. Answers come in the order of the requests. */
async function bareReader(worker: Worker): Promise<(offset: number, length: number) => Promise<Uint8Array>> {
  const waiting: ((bytes: Uint8Array) => void)[] = [];
  await new Promise((resolve) => worker.addEventListener("message", resolve, { once: true }));
  worker.addEventListener("message", ({ data }) => waiting.shift()?.(data));
  return (offset, length) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      const request: BareRequest = { offset, length };
      worker.postMessage(request);
    });
}

declare global {
  var benchConnect: typeof measureReads;
}

globalThis.benchConnect = measureReads;
