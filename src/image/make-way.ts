/**
 * Room for a longer BAT: whatever lies in the first host clusters goes elsewhere, and nothing else does. Guest clusters that
 * are neighbours in the file stay neighbours where there is a place for all of them: in a hole, or behind all that is used.
 */
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import type { Operation } from "../operation.js";
import { relocateExtension } from "./change-tables.js";
import { flushTables } from "./flush.js";
import { guestRuns } from "./guest-runs.js";
import type { Image } from "./image.js";
import { type Move, moveClusters } from "./move.js";

/** Guest clusters that are neighbours in the file, too. */
type Run = Omit<Move, "to">;

/**
 * Empties the host clusters below `end`, durably. They stay in use as far as the engine is concerned, so that nobody
 * allocates there, until the next survey. The caller has the disk to itself, and keeps others from flushing.
 */
export function* makeWay(image: Image, end: number): Operation<void> {
  yield* flushTables(image); // what is parked, or may not be durable, is written before it is copied
  takeFree(image, end);
  const runs = runsBelow(image, end);
  const places = new Places(image, end);
  yield* moveClusters(
    image,
    runs.map((run) => ({ ...run, to: places.take(run.count) })),
  );
  yield* flushTables(image);
  takeFree(image, end); // those that were given up now
  if (yield* relocateExtension(image, (hostCluster) => hostCluster >= end)) takeFree(image, end);
}

function takeFree({ engine }: Image, end: number): void {
  for (let first = engine.nextFree(0); first < end; first = engine.nextFree(first)) {
    const used = first < engine.end ? engine.nextUsed(first) : end;
    engine.reserve(first, Math.min(used, end) - first);
  }
}

/** What the BAT leads to in the host clusters below `end`. */
function runsBelow(image: Image, end: number): Run[] {
  const runs: Run[] = [];
  for (const { cluster, count, host } of guestRuns(image))
    if (host < end) runs.push({ cluster, count: Math.min(count, end - host) });
  return runs;
}

/** Where runs go: each into the next hole that has room for all of it, from the lowest on, or behind all that is used. */
class Places {
  readonly #image: Image;
  #from: number;
  /** There is no hole for so many. */
  #tooMany = Number.POSITIVE_INFINITY;

  constructor(image: Image, from: number) {
    this.#image = image;
    this.#from = from;
  }

  take(count: number): number {
    const { engine, grid } = this.#image;
    const place = this.#hole(count) ?? engine.end;
    if (place + count > grid.hostLimit) throw this.#full();
    engine.reserve(place, count);
    return place;
  }

  #hole(count: number): number | undefined {
    if (count >= this.#tooMany) return undefined;
    const { engine } = this.#image;
    for (let first = engine.nextFree(this.#from); first < engine.end; ) {
      const end = engine.nextUsed(first);
      if (end - first >= count) {
        this.#from = first;
        return first;
      }
      first = engine.nextFree(end);
    }
    this.#tooMany = count;
    return undefined;
  }

  #full(): DiskError {
    const { clusterSize } = this.#image;
    return new DiskError(
      "NO_SPACE",
      `there is no room for a longer BAT: the image's 32-bit entries cannot name another place for what lies in its way (clusters of ${counted(clusterSize, "byte")}): convert it to a larger cluster size`,
      { clusterSize },
    );
  }
}
