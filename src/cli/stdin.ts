/** Raw bytes from standard input, in pieces as large as a window. Their number is not known before the end. */
import { counted } from "../count.js";
import { probe } from "../format/header.js";
import type { Piece } from "./copy.js";
import { Failure } from "./failure.js";
import { wasClosed } from "./standard-streams.js";
import { WINDOW_SIZE } from "./windows.js";

/** A piece with the bytes as they arrived. */
export interface StreamPiece extends Piece {
  parts: Uint8Array[];
}

/** Counts what came. */
export interface StreamEnd {
  size: number;
}

export interface StreamOptions {
  /** More bytes than this are an error. */
  limit?: number | undefined;
  /** Takes bytes that begin like a Parallels image, too; else those are an error, as reading one needs a file. */
  anything?: boolean;
}

/** Reads standard input to its end; `end` gets the number of bytes so far. @throws Failure */
export async function* streamPieces(end: StreamEnd, options: StreamOptions = {}): AsyncGenerator<StreamPiece> {
  const { limit = Number.MAX_SAFE_INTEGER, anything = false } = options;
  if (wasClosed(0))
    throw new Failure("standard input is closed: redirect it from a file, or from /dev/null for nothing");
  let piece: StreamPiece = { offset: 0, length: 0, parts: [] };
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    if (end.size === 0 && !anything) refuseImage(chunk);
    end.size += chunk.length;
    if (end.size > limit)
      throw new Failure(`standard input has more than the ${counted(limit, "byte")} that --size says`);
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + WINDOW_SIZE - piece.length);
      piece.parts.push(part);
      piece.length += part.length;
      taken += part.length;
      if (piece.length < WINDOW_SIZE) continue;
      yield piece;
      piece = { offset: piece.offset + piece.length, length: 0, parts: [] };
    }
  }
  if (piece.length > 0) yield piece;
}

/** Puts a piece's bytes together. */
export function readStreamPiece({ parts }: StreamPiece, buffer: Uint8Array): void {
  let at = 0;
  for (const part of parts) {
    buffer.set(part, at);
    at += part.length;
  }
}

function refuseImage(firstChunk: Uint8Array): void {
  if (probe(firstChunk) === undefined) return;
  throw new Failure(
    "standard input holds a Parallels image, which is not read in order: save it to a file and convert that, or say --from raw to take its bytes as they are",
  );
}
