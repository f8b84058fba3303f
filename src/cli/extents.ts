/** What lies where on a disk, walked from its beginning to its end in bounded memory. */
import type { BlockDevice, Extent } from "../index.js";

/** Runs that are asked for at once: one is some hundred bytes of memory. */
const RUNS_AT_ONCE = 8192;

/** All runs of a device, or of a part of it, in order, in batches of bounded size; runs are cut between two batches. */
export async function* extentBatches(
  device: BlockDevice,
  { start, end } = { start: 0, end: device.size },
): AsyncGenerator<Extent[]> {
  for (let offset = start; offset < end; ) {
    const batch = await runsFrom(device, offset, end - offset);
    const last = batch[batch.length - 1];
    offset = last.offset + last.length;
    yield batch;
  }
}

/** Of a device that does not tell, all may be anything. */
async function runsFrom(device: BlockDevice, offset: number, length: number): Promise<Extent[]> {
  return (await device.status?.(offset, length, RUNS_AT_ONCE)) ?? [{ offset, length, kind: "data", layer: 0 }];
}

/** All runs of a device, in order and maximal, in batches of bounded size. */
export async function* allExtents(device: BlockDevice): AsyncGenerator<Extent[]> {
  let open: Extent | undefined;
  for await (const batch of extentBatches(device)) {
    // In place: there may be millions of them.
    let count = 0;
    for (const extent of batch) {
      if (open !== undefined && continues(open, extent)) {
        open.length += extent.length;
      } else {
        if (open !== undefined) batch[count++] = open;
        open = extent;
      }
    }
    batch.length = count;
    yield batch;
  }
  if (open !== undefined) yield [open];
}

function continues(previous: Extent, extent: Extent): boolean {
  const expected = previous.fileOffset === undefined ? undefined : previous.fileOffset + previous.length;
  return previous.layer === extent.layer && previous.kind === extent.kind && extent.fileOffset === expected;
}
