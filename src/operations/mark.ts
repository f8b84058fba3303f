/** The in_use mark: durable before the first change, cleared after all else is durable. */
import { encodeHeader, FLAG, IN_USE } from "../format/header.js";
import { type Image, TASK } from "./image.js";
import type { Operation } from "./operation.js";
import { locked } from "./range-locks.js";
import { flushStorage, writeFully } from "./transfer.js";

/** Makes sure that the file says "open for writing" on stable storage. */
export function* beginChange(image: Image): Operation<void> {
  if (image.marked) return;
  yield* locked(image.tasks, TASK.mark, TASK.mark, true, function* () {
    if (image.marked) return;
    yield* writeInUse(image, IN_USE.open);
    image.marked = true;
  });
}

/** Says "closed cleanly": the caller has made everything else durable. */
export function* endChange(image: Image): Operation<void> {
  image.marked = false; // a change after a failure sets the mark again
  yield* writeInUse(image, IN_USE.closed);
}

/** Clears the empty flag: the caller has made the whole BAT durable. */
export function* clearEmptyFlag(image: Image): Operation<void> {
  image.header.flags &= ~FLAG.empty;
  try {
    yield* writeHeader(image);
    image.emptyFlag = false;
  } catch (error) {
    image.header.flags |= FLAG.empty;
    throw error;
  }
}

function* writeInUse(image: Image, inUse: number): Operation<void> {
  image.header.inUse = inUse;
  try {
    yield* writeHeader(image);
  } catch (error) {
    image.header.inUse = IN_USE.open; // the file may say either: close has a mark to clear
    throw error;
  }
}

/** Writes the fields that an open disk changes, leaves every other byte as it was, and flushes. */
function* writeHeader(image: Image): Operation<void> {
  const bytes = image.headerBytes.slice();
  bytes.set(encodeHeader(image.header).subarray(CHANGING.from, CHANGING.to), CHANGING.from);
  yield* writeFully(image.storage, bytes, 0);
  yield* flushStorage(image.storage);
}

/** in_use, data_off and flags: bytes 44 to 55 of the header. */
const CHANGING = { from: 44, to: 56 } as const;
