/**
 * Tables of a file, read piece by piece. A small file may claim long ones that are holes: what is zero is not handed
 * on, so that memory, which is zero from the beginning, is touched only where the file holds something.
 */
import { createZeroScanner } from "../engine/create.js";
import type { Medium } from "../medium/medium.js";
import type { Operation } from "../operation.js";

/** Bytes read at once: a request of a network's size; most tables are one piece. */
const PIECE_SIZE = 2 * 1024 * 1024;
/** A page of memory, and a block of a file that has holes. */
const BLOCK_SIZE = 4096;

/** Takes blocks that follow each other, none of them all zero; the bytes change with the next call. */
export type TakeBytes = (bytes: Uint8Array, fileOffset: number) => void;

/** Reads a range of the file in order, and hands on the blocks in it that are not all zero, neighbours together. */
export function* eachFilled(medium: Medium, start: number, end: number, take: TakeBytes): Operation<void> {
  const scanner = createZeroScanner("js", Math.min(PIECE_SIZE, end - start)); // quick to make; zeros are rare
  for (let offset = start; offset < end; offset += PIECE_SIZE) {
    const piece = scanner.buffer.subarray(0, Math.min(PIECE_SIZE, end - offset));
    yield* medium.read(piece, offset);
    let filled = 0; // where the blocks begin that are still to be handed on
    for (let at = 0; at < piece.length; ) {
      const length = Math.min(BLOCK_SIZE - ((offset + at) % BLOCK_SIZE), piece.length - at);
      if (scanner.isZero(at, length)) {
        if (filled < at) take(piece.subarray(filled, at), offset + filled);
        filled = at + length;
      }
      at += length;
    }
    if (filled < piece.length) take(piece.subarray(filled), offset + filled);
  }
}
