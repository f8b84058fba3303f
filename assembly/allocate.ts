// Taking host clusters into use and giving them back. Every verb that may need a longer bitmap says whether
// it got it, and changes nothing if it did not.

import { ALREADY_RESULT, RUN_RESULT } from "./layout";
import { end, firstFree, free, nextFree, nextUsed, reachCluster, use } from "./used";

const NONE: u32 = 0xffffffff;

let limit: u32 = 0;
/** Host clusters below this one are not given out. */
let floor: u32 = 0;

export function setHostLimits(lowest: u32, hostLimit: u32): void {
  floor = lowest;
  limit = hostLimit;
}

/** Takes up to `clusterCount` free neighbours, at `goal` if it can be had, else the lowest above the floor; returns the first. */
export function allocate(clusterCount: u32, goal: u32): u32 {
  store<u32>(RUN_RESULT, 0);
  const honoured = goal >= floor && goal < end() && nextFree(goal) == goal;
  const first = honoured ? goal : floor ? nextFree(floor) : firstFree();
  if (first >= limit) return NONE;
  const length = clusterCount == 1 ? 1 : min(clusterCount, nextUsed(first, limit) - first);
  if (!reachCluster(first + length)) return first;
  use(first, first + length);
  store<u32>(RUN_RESULT, length);
  return first;
}

/** Marks host clusters as used; false if there is not enough memory. */
export function reserve(hostCluster: u32, clusterCount: u32): bool {
  store<u32>(ALREADY_RESULT, 0);
  if (clusterCount == 0) return true;
  if (!reachCluster(hostCluster + clusterCount)) return false;
  store<u32>(ALREADY_RESULT, use(hostCluster, hostCluster + clusterCount));
  return true;
}

export function release(hostCluster: u32, clusterCount: u32): void {
  if (clusterCount > 0) free(hostCluster, hostCluster + clusterCount);
}

/** The first used cluster at or after `hostCluster`, or `end`. */
export function nextUsedOrEnd(hostCluster: u32): u32 {
  return nextUsed(hostCluster, end());
}
