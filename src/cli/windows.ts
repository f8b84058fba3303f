/**
 * Windows: the parts of disks that are worth reading, in pieces of a size that moves fast. What no disk has
 * allocated is passed over without a read.
 */
import type { BlockDevice } from "../index.js";
import { extentBatches } from "./extents.js";

/** A range of guest bytes in which at least one disk has data. */
export interface Window {
  offset: number;
  /** In bytes, at most `WINDOW_SIZE`. */
  length: number;
  /** For each disk, whether it has data in the window; where not, it reads as zeros. */
  held: boolean[];
}

/** Large enough to make a request's cost vanish, small enough to stay in the processor's cache. */
export const WINDOW_SIZE = 2 * 1024 * 1024;

/** The windows of disks that are read together, in order; they begin and end at multiples of `grain` where data does not. */
export async function* windowsOf(devices: readonly BlockDevice[], grain = 1): AsyncGenerator<Window> {
  const windowSize = grain > WINDOW_SIZE ? WINDOW_SIZE : WINDOW_SIZE - (WINDOW_SIZE % grain);
  const all = devices.map((device) => new DataRuns(device));
  for (;;) {
    for (const runs of all) await runs.find();
    const offset = Math.min(...all.map((runs) => runs.offset));
    if (offset === Number.POSITIVE_INFINITY) return;
    const limit = (Math.floor(offset / windowSize) + 1) * windowSize;
    const ends: number[] = [];
    for (const runs of all) ends.push(await runs.pass(limit));
    yield { offset, length: Math.max(...ends) - offset, held: ends.map((end) => end > 0) };
  }
}

/** What a disk holds, walked from its beginning to its end. */
class DataRuns {
  /** Where the next data begins; infinity where there is none any more. */
  offset = 0;
  /** One past what is known of it. */
  #end = 0;
  readonly #extents: AsyncGenerator<{ offset: number; length: number }>;

  constructor(device: BlockDevice) {
    this.#extents = dataOf(device);
  }

  /** Goes on to the next data if all before has been passed. */
  async find(): Promise<void> {
    if (this.offset < this.#end || this.offset === Number.POSITIVE_INFINITY) return;
    const { value, done } = await this.#extents.next();
    this.offset = done ? Number.POSITIVE_INFINITY : value.offset;
    this.#end = done ? Number.POSITIVE_INFINITY : value.offset + value.length;
  }

  /** Passes all data below `limit`; answers where the last of it ends, or 0 if there is none. */
  async pass(limit: number): Promise<number> {
    let end = 0;
    while (this.offset < limit) {
      this.offset = end = Math.min(this.#end, limit);
      await this.find();
    }
    return end;
  }
}

async function* dataOf(device: BlockDevice): AsyncGenerator<{ offset: number; length: number }> {
  for await (const batch of extentBatches(device)) yield* batch.filter(({ kind }) => kind === "data");
}
