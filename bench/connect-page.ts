/**
 * Runs in a page: reads from a disk in a worker, and the same bytes by a bare message to another worker, which reads them
 * from its access handle and transfers them back. Those the page leaves where they are; the disk's are put into buffers of
 * the page's, as callers want it. Writes likewise: of the page's buffers copies are transferred, both to the disk and bare.
 */
import { type Spot, walk } from "../src/measure/spots.js";
import { inFlight, type TurnOptions, takeTurns, type Work } from "../src/measure/turns.js";
import { connectDisk } from "../src/worker/connect.js";

export interface Asked {
  operation: "read" | "write";
  /** Bytes a request, and requests under way. */
  length: number;
  depth: number;
  options: TurnOptions;
}

/** What the bare worker is asked for: to write these bytes, or to read so many. */
export type BareRequest = { offset: number; length: number } | { offset: number; bytes: Uint8Array };

/** Moves bytes between an offset and the buffer, or another one in its place. */
type Move = (buffer: Uint8Array, offset: number) => Promise<unknown>;

/** Microseconds a request, by rounds: of the disk, and of the bare worker. */
async function measureRequests({ operation, length, depth, options }: Asked): Promise<number[][]> {
  const workers = ["disk", "bare"].map((name) => new Worker("/worker.js", { type: "module", name }));
  const [served, bare] = workers;
  try {
    const [disk, ask] = await Promise.all([connectDisk(served), bareEnd(bare)]);
    const moves: Move[] =
      operation === "read"
        ? [(buffer, offset) => disk.read(buffer, offset), (buffer, offset) => ask({ offset, length: buffer.length })]
        : [(buffer, offset) => disk.write(buffer, offset), (buffer, offset) => writeBare(ask, buffer, offset)];
    const spots = spotsOf(disk.size, length);
    const times = await takeTurns(
      moves.map((move) => lanes(move, spots, length, depth)),
      options,
    );
    await disk.close();
    return times;
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

/** All the places on the disk; the bare worker's are at the same ones of its file, a header's length before the data. */
function spotsOf(size: number, length: number): Spot[] {
  return Array.from({ length: size / length }, (_, index) => ({
    guestOffset: index * length,
    fileOffset: index * length,
  }));
}

/** So many callers, each with a buffer of its own, which ask again when they have their answer. */
function lanes(move: Move, spots: readonly Spot[], length: number, depth: number): Work {
  const next = walk(spots, "random");
  const buffers = Array.from({ length: depth }, () => new Uint8Array(length));
  return inFlight(buffers, (buffer) => move(buffer, next().guestOffset));
}

type Ask = (request: BareRequest, transfer?: Transferable[]) => Promise<unknown>;

/** Resolves when the worker has its file. Answers come in the order of the requests. */
async function bareEnd(worker: Worker): Promise<Ask> {
  const waiting: ((answer: unknown) => void)[] = [];
  await new Promise((resolve) => worker.addEventListener("message", resolve, { once: true }));
  worker.addEventListener("message", ({ data }) => waiting.shift()?.(data));
  return (request, transfer = []) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      worker.postMessage(request, transfer);
    });
}

function writeBare(ask: Ask, buffer: Uint8Array, offset: number): Promise<unknown> {
  const bytes = buffer.slice();
  return ask({ offset, bytes }, [bytes.buffer]);
}

declare global {
  var benchConnect: typeof measureRequests;
}

globalThis.benchConnect = measureRequests;
