/**
 * Where the bytes of an answer go: straight into the parts that were asked for. Bytes count only once it is certain
 * that the answer is whole; what a cut answer left is kept where its length was announced, so that the next try
 * asks for the rest alone.
 */
import { requireKept } from "../buffers.js";
import { counted } from "../count.js";
import { badResponse, type RangeRequest, TransientError } from "./http-response.js";

export class BodySink {
  readonly #parts: readonly Uint8Array[];
  /** Of the parts, as they were handed in: memory may be taken away while the request waits. */
  readonly #lengths: readonly number[];
  readonly #filled: (index: number) => void;
  /** Index of the part that comes next, and bytes that it has already. */
  #part = 0;
  #inPart = 0;
  /** What arrives in one answer is known to be good while it arrives. */
  #announced = false;
  /** Parts that are complete but not certain yet. */
  #uncertain: number[] = [];
  readonly #start: number;
  /** Where the answer under way began. */
  #answerStart: { position: number; part: number; inPart: number };
  /** The next byte's offset in the file. */
  position: number;
  end: number;

  constructor(parts: readonly Uint8Array[], offset: number, filled: (index: number) => void) {
    this.#parts = parts;
    this.#lengths = parts.map(({ length }) => length);
    this.#filled = filled;
    this.#start = this.position = offset;
    this.#answerStart = { position: offset, part: 0, inPart: 0 };
    this.end = parts.reduce((sum, part) => sum + part.length, offset);
  }

  /** The file ends here: parts that reach beyond it are as full as they can be. */
  endAt(total: number): void {
    this.end = Math.min(this.end, total);
  }

  /** An answer begins, for `position` to `end`. */
  begin(response: Response): void {
    this.#announced = response.headers.get("content-length") !== null;
    this.#answerStart = { position: this.position, part: this.#part, inPart: this.#inPart };
  }

  /** @throws DiskError BAD_RESPONSE for more bytes than were asked for */
  put(bytes: Uint8Array, request: RangeRequest): void {
    if (this.position + bytes.length > this.end) throw this.#tooLong(request);
    for (let done = 0; done < bytes.length; ) done += this.#putPart(bytes.subarray(done));
  }

  /** The answer has ended. @throws TransientError where bytes are missing */
  finish(): void {
    if (this.position < this.end)
      throw new TransientError(
        `the answer ended after ${this.position - this.#start} of ${counted(this.end - this.#start, "byte")}`,
      );
    for (const index of this.#uncertain.splice(0)) this.#filled(index);
  }

  /** The answer was cut: goes back to the last byte that is certain. */
  rewind(): void {
    if (this.#announced) return;
    this.#uncertain = [];
    ({ position: this.position, part: this.#part, inPart: this.#inPart } = this.#answerStart);
  }

  #putPart(bytes: Uint8Array): number {
    const part = this.#parts[this.#part];
    requireKept(part, this.#lengths[this.#part]);
    const count = Math.min(bytes.length, part.length - this.#inPart);
    part.set(bytes.subarray(0, count), this.#inPart);
    this.#inPart += count;
    this.position += count;
    if (this.#inPart < part.length) return count;
    this.#inPart = 0;
    const index = this.#part++;
    if (this.#announced) this.#filled(index);
    else this.#uncertain.push(index);
    return count;
  }

  #tooLong(request: RangeRequest) {
    const expected = `a body of ${counted(request.end - request.start, "byte")}`;
    return badResponse(request, expected, "more", "The server, or a cache before it, serves ranges wrongly.");
  }
}
