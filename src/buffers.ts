/**
 * Callers' buffers. A request's length is what it was when the request was made, however its buffer changes while the
 * request waits: memory that grows adds nothing to it, and memory that was taken away - transferred to somebody, or
 * shrunk - is an error, before anything else is written. Shared memory is as good as any.
 */
import { CallerMistake } from "./errors.js";
import { quote } from "./printable.js";

const { get: tagOf } = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!;

/** The memory of a view, where it may grow: older platforms know neither. */
type Growing = { readonly resizable?: boolean; readonly growable?: boolean };

/**
 * The bytes that a request is about, from now on of one length. Arrays of other realms (frames, node:vm) are as good.
 * @throws TypeError for anything but a Uint8Array whose memory is there
 */
export function takeBuffer(buffer: Uint8Array): Uint8Array {
  if (tagOf!.call(buffer) !== "Uint8Array") throw new TypeError(`buffer: expected a Uint8Array, got ${quote(buffer)}`);
  const { length } = buffer;
  if (length === 0) requireMemory(buffer);
  const memory = buffer.buffer as Growing & ArrayBufferLike;
  return memory.resizable || memory.growable ? new Uint8Array(memory, buffer.byteOffset, length) : buffer;
}

/** Checks that a buffer still is what it was when the request was made. @throws TypeError */
export function requireKept(buffer: Uint8Array, length: number): void {
  if (buffer.length !== length) throw gone();
}

/** A part of a buffer. @throws TypeError where that is no longer there */
export function partOf(buffer: Uint8Array, from: number, length: number): Uint8Array {
  if (from === 0 && length === buffer.length) return buffer;
  if (buffer.length < from + length) throw gone();
  return buffer.subarray(from, from + length);
}

/** An empty view of memory that is there is an empty request; of memory that is not, a mistake. */
function requireMemory(buffer: Uint8Array): void {
  try {
    Uint8Array.prototype.at.call(buffer, 0); // throws where the memory is detached, or ends before the view
  } catch {
    throw new TypeError("buffer: expected a Uint8Array, got one whose memory was transferred away or shrunk");
  }
}

function gone(): CallerMistake {
  return new CallerMistake(
    "buffer: expected memory that stays until the request ends, got one that was transferred away or shrunk meanwhile",
  );
}
