/**
 * An open disk of a bundle, as the bundle's verbs see it: the segments that are open, and the device that is made of them.
 * A verb puts others in their place, behind the gate, while requests wait.
 */
import type { AnyDevice } from "../device/block-device.js";
import { joinedVerbs } from "../device/joined.js";
import { rawVerbs } from "../device/raw.js";
import { exclusively, Mutex } from "../mutex.js";
import type { Operation } from "../operation.js";
import { closedError } from "../requests.js";
import { Gate } from "./gate.js";
import type { Guid } from "./guid.js";
import { orderedVerbs } from "./ordered.js";
import { closeSegment, type Face, type Segment } from "./segment.js";

export class Live {
  readonly face: Face;
  /** The snapshot that it shows: the top, unless it is only read. */
  readonly guid: Guid;
  readonly readOnly: boolean;
  readonly gate: Gate | undefined;
  readonly #closing: Mutex | undefined;
  segments: readonly Segment[];
  device: AnyDevice;
  closed = false;

  private constructor(face: Face, guid: Guid, readOnly: boolean, segments: readonly Segment[], device: AnyDevice) {
    this.face = face;
    this.guid = guid;
    this.readOnly = readOnly;
    this.gate = face.concurrent ? new Gate() : undefined;
    this.#closing = face.concurrent ? new Mutex("flush") : undefined;
    this.segments = segments;
    this.device = device;
  }

  static *of(face: Face, guid: Guid, readOnly: boolean, segments: readonly Segment[]): Operation<Live> {
    return new Live(face, guid, readOnly, segments, yield* deviceOf(face, segments));
  }

  /** Puts other segments in the place of those that are open; the caller is behind the gate. */
  *replace(segments: readonly Segment[]): Operation<void> {
    this.device = yield* deviceOf(this.face, segments);
    this.segments = segments;
  }

  /** Runs an operation while no request is under way. */
  *exclusively<T>(operation: () => Operation<T>): Operation<T> {
    if (this.closed) throw closedError();
    return yield* this.gate === undefined ? operation() : this.gate.exclusively(operation);
  }

  /** Closes all that is open. Where that fails it stays open, and may be closed again. */
  *close(): Operation<void> {
    yield* exclusively(this.#closing, () => this.#close());
  }

  *#close(): Operation<void> {
    if (this.closed) return;
    yield* this.exclusively(() => closeAll(this.segments));
    this.closed = true;
  }

  /** Closes the files and nothing else, at once. */
  *abandon(): Operation<void> {
    this.closed = true;
    for (const { top, chain } of this.segments) {
      const media = chain.layers.map(({ medium }) => medium);
      if ("image" in top) {
        top.image.closed = top.image.abandoned = true;
        media.push(top.image.medium);
      } else media.push(top.plain);
      for (const medium of media) yield* medium.close();
    }
  }
}

export function* closeAll(segments: readonly Segment[]): Operation<void> {
  const errors: unknown[] = [];
  for (const segment of segments) {
    try {
      yield* closeSegment(segment);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

function* deviceOf(face: Face, segments: readonly Segment[]): Operation<AnyDevice> {
  const devices: AnyDevice[] = [];
  for (const { top } of segments)
    devices.push("image" in top ? face.disk(top.image) : face.bind(yield* rawVerbs(top.plain.storage)));
  const sizes = segments.map(({ size }) => size);
  if (devices.length > 1) return face.bind(orderedVerbs(segments, devices));
  return devices[0].size === sizes[0] ? devices[0] : face.bind(joinedVerbs(devices, sizes));
}
