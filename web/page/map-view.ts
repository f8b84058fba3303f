/** Which part of the disk the map shows: the whole, or closer around a place. Offsets and lengths in guest bytes. */

export interface View {
  offset: number;
  length: number;
}

const STEP = 8;

/** Closer by a step, around a place; at least a handful of clusters. */
export function zoomedIn({ offset, length }: View, place: number, clusterSize: number): View {
  const closer = Math.min(length, Math.max(length / STEP, 64 * clusterSize));
  return around(place, closer, { offset, length }, clusterSize);
}

/** Farther by a step; the whole disk in the end. */
export function zoomedOut(view: View, place: number, clusterSize: number, size: number): View {
  const whole = { offset: 0, length: size };
  return view.length * STEP >= size ? whole : around(place, view.length * STEP, whole, clusterSize);
}

/** A part of that length with the place in its middle, as far as `within` allows; begins on a cluster. */
function around(place: number, length: number, within: View, clusterSize: number): View {
  const clusters = Math.ceil(length / clusterSize) * clusterSize;
  const last = within.offset + within.length - clusters;
  const wanted = Math.floor((place - clusters / 2) / clusterSize) * clusterSize;
  const offset = Math.max(within.offset, Math.min(wanted, Math.ceil(last / clusterSize) * clusterSize));
  return { offset, length: Math.min(clusters, within.offset + within.length - offset) };
}
