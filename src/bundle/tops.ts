/** New, empty images that are to lie on top. */
import type { Format } from "../format/header.js";
import { createImage } from "../image/create.js";
import { createFile, syncFolder } from "../medium/files.js";
import { type Operation, quietly } from "../operation.js";
import type { Storage } from "../storage/storage.js";
import { randomGuid } from "./guid.js";
import { newImageNames } from "./image-files.js";
import { usualFormat } from "./new-descriptor.js";
import { openTop, orClose, type Segment, type Top } from "./segment.js";
import type { State } from "./state.js";

export interface NewTop {
  readonly file: string;
  readonly top: Top;
}

/** Makes an empty image for each segment and opens it; all are durable, their names included. */
export function* makeTops(state: State, segments: readonly Segment[]): Operation<NewTop[]> {
  const names = newImageNames(state.descriptor, randomGuid());
  const made: NewTop[] = [];
  try {
    for (const [index, segment] of segments.entries()) {
      const storage = yield* createFile(state.folder, names[index]);
      made.push({ file: names[index], top: yield* makeTop(state, segment, storage, names[index]) });
    }
    yield* syncFolder(state.folder);
    return made;
  } catch (error) {
    yield* dropTops(state, made, names);
    throw error;
  }
}

function* makeTop(state: State, segment: Segment, storage: Storage, file: string): Operation<Top> {
  const { size, clusterSize, chain } = segment;
  yield* orClose(storage, () => createImage(storage, { size, clusterSize, format: formatFor(segment) }));
  const entry = { guid: state.descriptor.topGuid, type: "expandable", file } as const;
  return yield* openTop(storage, entry, chain, { ...state.segmentSettings(false), fresh: true });
}

/** That of the image below; where it has none, the one that Parallels Desktop writes. */
function formatFor({ top, size }: Segment): Format {
  if ("image" in top) return top.image.header.format;
  return usualFormat(size);
}

/** Closes images that are not needed, and removes their files. */
export function* dropTops(
  state: State,
  tops: readonly NewTop[],
  names: readonly string[] = tops.map(({ file }) => file),
): Operation<void> {
  for (const { top } of tops) if ("image" in top) yield* quietly(top.image.medium.close());
  yield* state.remove(names);
}
