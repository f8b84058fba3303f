/** Which file of a bundle holds a run: each part of the disk has an image for every snapshot. */
import type { Bundle, PartInfo } from "../bundle.js";
import type { Extent } from "../index.js";

/** A snapshot and what it stands on, whose images make its content. */
export function chainOf({ snapshots }: Bundle, shown: string): Set<string> {
  const parents = new Map(snapshots.map(({ guid, parent }) => [guid, parent]));
  const chain = new Set<string>();
  for (let guid: string | undefined = shown; guid !== undefined; guid = parents.get(guid)) chain.add(guid);
  return chain;
}

/** A run, and the file that holds it, where one does. */
export type Placed = Extent & { file?: string };

export class LayerFiles {
  readonly #parts: readonly PartInfo[];
  /** The GUIDs of the layers, the uppermost first. */
  readonly #layers: readonly string[];

  constructor(bundle: Bundle, snapshot: string = bundle.top) {
    this.#parts = bundle.parts;
    this.#layers = [...chainOf(bundle, snapshot)];
  }

  /** A run in pieces that one file holds each. */
  *split(run: Extent): Generator<Placed> {
    for (const { start, end, images } of this.#parts) {
      const from = Math.max(run.offset, start);
      const to = Math.min(run.offset + run.length, end);
      if (from >= to) continue;
      const piece: Placed = { ...run, offset: from, length: to - from };
      if (run.fileOffset !== undefined) {
        piece.fileOffset = run.fileOffset + from - run.offset;
        const image = images.find(({ guid }) => guid === this.#layers[run.layer]);
        if (image !== undefined) piece.file = image.file;
      }
      yield piece;
    }
  }
}

/** Batches of runs with their files; of what is no bundle as they are. */
export async function* allPlaced(
  batches: AsyncIterable<Extent[]>,
  files: LayerFiles | undefined,
): AsyncGenerator<Iterable<Placed>> {
  for await (const runs of batches) yield files === undefined ? runs : placed(runs, files);
}

function* placed(runs: readonly Extent[], files: LayerFiles): Generator<Placed> {
  for (const run of runs) yield* run.fileOffset === undefined ? [run] : files.split(run);
}
