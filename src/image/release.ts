/** Host clusters that become free, for good: what is durable refers to them no more. */
import { CallerMistake } from "../errors.js";
import type { Operation } from "../operation.js";
import type { HostRun, Image } from "./image.js";

/**
 * Frees clusters that no durable BAT refers to. They are made to read as zeros first, for whoever finds bytes in a free
 * cluster calls them leaked; once free, others may write there. Where that fails they are free all the same.
 */
export function* releaseRun(image: Image, run: HostRun): Operation<void> {
  try {
    yield* clearClusters(image, run);
  } catch (error) {
    if (error instanceof CallerMistake) throw error; // a promise: it may write at any later time
  }
  image.engine.release(run.first, run.count);
}

/** Lets a run of clusters read as zeros. */
export function clearClusters({ medium, grid }: Image, { first, count }: HostRun): Operation<void> {
  return medium.clear(grid.hostOffsetOf(first), count * grid.clusterSize);
}
