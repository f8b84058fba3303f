/**
 * Runs of BAT entries, an entry at a time: the map of the plain twin, and of the other one where calling WebAssembly would
 * cost more than looking.
 */

/** Fills `extents` with the runs of `clusterCount` entries from `first`, as far as it reaches: see `map` of the engine. */
export function mapRuns(
  bat: Uint32Array,
  step: number,
  first: number,
  clusterCount: number,
  extents: Uint32Array,
): number {
  if (clusterCount === 1) {
    // Most requests: in half the time of the loops.
    extents[0] = 1;
    extents[1] = bat[first];
    return 1;
  }
  const limit = first + clusterCount;
  let length = 0;
  let cluster = first;
  while (cluster < limit && length < extents.length) {
    const entry = bat[cluster];
    const next = entry === 0 ? zerosEnd(bat, cluster, limit) : dataEnd(bat, cluster, limit, step);
    extents[length++] = next - cluster;
    extents[length++] = entry;
    cluster = next;
  }
  return length / 2;
}

/** One past the run of zeros that `cluster` begins. */
export function zerosEnd(bat: Uint32Array, cluster: number, limit: number): number {
  let next = cluster + 1;
  while (next < limit && bat[next] === 0) next++;
  return next;
}

/** One past the run of entries, each a step above the one before, that `cluster` begins. */
export function dataEnd(bat: Uint32Array, cluster: number, limit: number, step: number): number {
  let next = cluster + 1;
  let expected = bat[cluster] + step;
  while (next < limit && bat[next] === expected) {
    expected += step;
    next++;
  }
  return next;
}
