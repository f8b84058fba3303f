/** Raw bytes from standard input, in pieces as large as a window. Their number is not known before the end. */
import type { Readable } from "node:stream";
import { counted } from "../count.js";
import { RECOGNISED, recognise } from "../index.js";
import type { Piece } from "./copy.js";
import { Failure } from "./failure.js";
import { requireDisk } from "./kind.js";
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
  /** Who sets that limit: "that --size says". */
  limitBy?: string;
  /** Takes any bytes; else an image is an error, as reading one needs a file, and so is what is no raw disk. */
  anything?: boolean;
}

/** @throws Failure where it was closed: Node would find an empty one */
export function standardInput(): Readable {
  if (wasClosed(0))
    throw new Failure("standard input is closed: redirect it from a file, or from /dev/null for nothing");
  return process.stdin;
}

/** Reads standard input to its end; `end` gets the number of bytes so far. @throws Failure */
export async function* streamPieces(
  input: AsyncIterable<Uint8Array>,
  end: StreamEnd,
  options: StreamOptions = {},
): AsyncGenerator<StreamPiece> {
  const { limit = Number.MAX_SAFE_INTEGER, limitBy = "that --size says", anything = false } = options;
  const judge = anything ? undefined : new Judge();
  let piece: StreamPiece = { offset: 0, length: 0, parts: [] };
  for await (const chunk of input) {
    judge?.take(chunk);
    end.size += chunk.length;
    if (end.size > limit) throw new Failure(`standard input has more than the ${counted(limit, "byte")} ${limitBy}`);
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
  judge?.end();
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

/** Looks at the first and last bytes of what passes, in whatever pieces it comes. */
class Judge {
  #head = new Uint8Array(0);
  #tail = new Uint8Array(0);

  /** @throws Failure as soon as the first bytes are of no raw disk */
  take(chunk: Uint8Array): void {
    const missing = RECOGNISED.head - this.#head.length;
    this.#tail = joined(this.#tail, chunk.subarray(-RECOGNISED.tail)).subarray(-RECOGNISED.tail);
    if (missing <= 0) return;
    this.#head = joined(this.#head, chunk.subarray(0, missing));
    if (chunk.length >= missing) this.#requireRaw(new Uint8Array(0));
  }

  /** @throws Failure if the last bytes, or all, are of no raw disk */
  end(): void {
    this.#requireRaw(this.#tail);
  }

  #requireRaw(tail: Uint8Array): void {
    if (requireDisk("standard input", recognise(this.#head, tail), "--from") === "raw") return;
    throw new Failure(
      "standard input holds a Parallels image, which is not read in order: save it to a file and convert that, or say --from raw to take its bytes as they are",
    );
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
