/** The in_use mark: durable before the first change, cleared after all else is durable. */
import { encodeHeader, FLAG, type Format, HEADER_SIZE, type Header, IN_USE } from "../format/header.js";
import { exclusively } from "../mutex.js";
import type { Operation } from "../operation.js";
import { eachFilled } from "./blocks.js";
import { damages } from "./findings.js";
import type { Image } from "./image.js";
import { trim } from "./trim.js";

/** Makes sure that the file says "open for writing" on stable storage. */
export function* markOpen(image: Image): Operation<void> {
  if (image.marked) return;
  yield* exclusively(image.marking, function* () {
    if (image.marked) return;
    // Taken over from a writer that did not finish: what it left must be durable before clusters that it freed are used.
    yield* image.medium.flush();
    yield* changeInUse(image, IN_USE.open);
    if (image.tables.emptyFlag) yield* clearEmptyFlag(image);
    image.marked = true;
    // What its writer had added to the file reads as it left it; what growth adds now is known to be zeros.
    if (image.foundUnclean && damages(image).length === 0) yield* trim(image);
  });
}

/** Says "closed cleanly", in one of the ways to say so: the caller has made everything else durable. */
export function* markClosed(image: Image, inUse: number): Operation<void> {
  image.marked = false; // a change after a failure sets the mark again
  yield* changeInUse(image, inUse);
}

/** Clears the empty flag, under which the BAT may hold anything: it is zeros before. */
function* clearEmptyFlag(image: Image): Operation<void> {
  const { medium, engine } = image;
  const end = HEADER_SIZE + 4 * engine.entryCount;
  const blocks: [fileOffset: number, length: number][] = [];
  // Where it holds zeros already it may be a hole, and stays one.
  yield* eachFilled(medium, HEADER_SIZE, end, ({ length }, fileOffset) => blocks.push([fileOffset, length]));
  for (const [fileOffset, length] of blocks) yield* medium.writeZeros(fileOffset, length);
  yield* medium.flush();
  yield* changeHeader(image, { flags: image.header.flags & ~FLAG.empty });
  image.tables.emptyFlag = false;
}

function* changeInUse(image: Image, inUse: number): Operation<void> {
  try {
    yield* changeHeader(image, { inUse });
  } catch (error) {
    image.header.inUse = IN_USE.open; // the file may say either: close has a mark to clear
    throw error;
  }
}

/** The fields that an open disk changes. */
export type HeaderChanges = Partial<Omit<Header, "format" | "tracks">>;

/** Their bytes; every other byte of the header stays as it was found. */
const CHANGING = [
  { from: 20, to: 28, formats: ["v1", "v2"] },
  { from: 32, to: 40, formats: ["v1", "v2"] },
  { from: 40, to: 44, formats: ["v2"] }, // the upper half of nb_sectors, which v1 does not use
  { from: 44, to: HEADER_SIZE, formats: ["v1", "v2"] },
] as const satisfies { from: number; to: number; formats: Format[] }[];

/** Changes fields of the header in the file, durably; what was flushed before stays before. */
export function* changeHeader(image: Image, changes: HeaderChanges): Operation<void> {
  const changed = { ...image.header, ...changes };
  const encoded = encodeHeader(changed);
  const bytes = image.tables.headerBytes.slice();
  for (const { from, to, formats } of CHANGING)
    if ((formats as readonly Format[]).includes(changed.format)) bytes.set(encoded.subarray(from, to), from);
  image.tables.headerUnsure = true;
  yield* image.medium.writeThrough(bytes, 0);
  image.tables.headerUnsure = false;
  Object.assign(image.header, changes);
}
