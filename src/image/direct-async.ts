/**
 * The short way of the asynchronous face (direct.ts): one transfer under its lock, which ends in a callback. What ends as
 * it should costs one promise, the caller's; whatever else becomes of it is dealt with at leisure.
 */
import { partOf, requireKept, takeBuffer } from "../buffers.js";
import { readFully, writeFully } from "../medium/transfer.js";
import { runAsync } from "../run.js";
import { movedBytes } from "../storage/answers.js";
import { BEGIN, type BeginningStorage, type Ended, type Failure } from "../storage/begin.js";
import { directError, directRead, directWrite, isOrdered, noteDirect, type Place } from "./direct.js";
import type { Image } from "./image.js";
import { tryLockBytes } from "./lock-clusters.js";
import { publish } from "./publish.js";
import type { RangeLock } from "./range-locks.js";

/** Makes a request that one transfer serves; nothing where it does not. The lock is taken before this returns. */
export function direct(
  image: Image,
  verb: "read" | "write",
  buffer: Uint8Array,
  offset: number,
): Promise<void> | undefined {
  try {
    const place = verb === "read" ? directRead(image, buffer, offset) : directWrite(image, buffer, offset);
    return place?.length === buffer.length ? transfer(image, verb, buffer, offset, place) : undefined;
  } catch {
    return undefined; // what throws when it is looked at is a mistake: the operation looks again, and rejects
  }
}

interface Transfer {
  readonly image: Image;
  readonly verb: "read" | "write";
  readonly buffer: Uint8Array;
  readonly length: number;
  readonly offset: number;
  readonly place: Place;
  readonly lock: RangeLock;
}

/** Makes one transfer under its lock; not where others are in its way: the operation waits in line. */
function transfer(
  image: Image,
  verb: "read" | "write",
  given: Uint8Array,
  offset: number,
  place: Place,
): Promise<void> | undefined {
  const buffer = takeBuffer(given);
  const { length } = buffer;
  const lock = tryLockBytes(image, offset, length, verb === "write");
  if (lock === undefined) return undefined;
  return new Promise((resolve) => {
    const ended = (answer: unknown, failure?: Failure) => {
      const moved = failure === undefined && answer === length && buffer.length === length;
      if (moved && (verb === "read" || isOrdered(image, offset, length))) {
        letGo(image, verb, offset, length, lock);
        resolve();
      } else resolve(settle({ image, verb, buffer, length, offset, place, lock }, answer, failure));
    };
    begin(place, verb, buffer, ended);
  });
}

/** Has a storage make a transfer, by as few promises as it can. */
function begin({ storage, fileOffset }: Place, verb: "read" | "write", buffer: Uint8Array, ended: Ended): void {
  let answer: unknown;
  let failure: Failure | undefined;
  try {
    if ((storage as BeginningStorage)[BEGIN]?.(verb, buffer, fileOffset, ended)) return;
    answer = verb === "read" ? storage.read(buffer, fileOffset) : storage.write(buffer, fileOffset);
    if (typeof answer !== "number") {
      Promise.resolve(answer).then(
        (moved) => ended(moved),
        (thrown) => ended(undefined, { thrown }),
      );
      return;
    }
  } catch (thrown) {
    failure = { thrown };
  }
  ended(answer, failure);
}

/** Ends a transfer that was short, failed, or may not show yet. */
async function settle(transfer: Transfer, answer: unknown, failure: Failure | undefined): Promise<void> {
  const { image, verb, buffer, length, offset, lock } = transfer;
  const { storage, fileOffset } = transfer.place;
  try {
    if (failure !== undefined) throw failure.thrown;
    requireKept(buffer, length);
    if (answer !== length) {
      const moved = movedBytes(storage, verb, answer, length);
      // Still under the lock: nobody may see half of it.
      const [rest, at] = [partOf(buffer, moved, length - moved), fileOffset + moved];
      await runAsync(verb === "read" ? readFully(storage, rest, at) : writeFully(storage, rest, at), image);
    }
    // What completed meanwhile comes before it.
    if (verb === "write" && !isOrdered(image, offset, length)) await runAsync(publish(image), image);
  } catch (error) {
    throw directError(verb === "read" ? "reading" : "writing", buffer, length, fileOffset, error);
  } finally {
    letGo(image, verb, offset, length, lock);
  }
}

function letGo(image: Image, verb: "read" | "write", offset: number, length: number, lock: RangeLock): void {
  if (verb === "write") noteDirect(image, offset, length);
  image.locks?.release(lock);
}
