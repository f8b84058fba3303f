/** The device of several, one behind the other: a disk that was split into parts. */
import { call, type Operation, together } from "../operation.js";
import { requireLimit, requireRange } from "../requests.js";
import { type AnyDevice, type Extent, STATUS_LIMIT } from "./block-device.js";
import { appendRun, readDevice, statusOf, type Verbs } from "./verbs.js";

/** A range of one part. */
interface Piece {
  device: AnyDevice;
  /** Where the range begins on the part, and on the whole. */
  from: number;
  at: number;
  length: number;
}

/** What a joined device can do if all of its parts can. */
const ALL_CAN = ["write", "writeZeroes", "discard", "flush", "close"] as const;

/**
 * Joins devices; they are closed with what is made of them.
 * @param sizes how many bytes of each, at most those that it has
 */
export function joinedVerbs(devices: readonly AnyDevice[], sizes = devices.map(({ size }) => size)): Verbs {
  const joined = new Joined(devices, sizes);
  const missing = ALL_CAN.filter((verb) => devices.some((device) => device[verb] === undefined));
  return Object.assign(joined, Object.fromEntries(missing.map((verb) => [verb, undefined])));
}

class Joined implements Verbs {
  readonly #devices: readonly AnyDevice[];
  readonly #sizes: readonly number[];
  readonly path: string | undefined;
  readonly readOnly: boolean;
  readonly clusterSize: number;

  constructor(devices: readonly AnyDevice[], sizes: readonly number[]) {
    this.#devices = devices;
    this.#sizes = sizes;
    this.path = devices[0]?.path;
    this.readOnly = devices.some(({ readOnly }) => readOnly === true);
    this.clusterSize = Math.max(1, ...devices.map(({ clusterSize = 1 }) => clusterSize));
  }

  get size(): number {
    return this.#sizes.reduce((sum, size) => sum + size, 0);
  }

  read(buffer: Uint8Array, offset: number): Operation<void> {
    return this.#each(offset, buffer.length, ({ device, from, at, length }) =>
      readDevice(device, buffer.subarray(at - offset, at - offset + length), from),
    );
  }

  write(buffer: Uint8Array, offset: number): Operation<void> {
    return this.#each(offset, buffer.length, ({ device, from, at, length }) =>
      call<void>(() => device.write?.(buffer.subarray(at - offset, at - offset + length), from)),
    );
  }

  writeZeroes(offset: number, length: number): Operation<void> {
    return this.#each(offset, length, ({ device, from, length }) =>
      call<void>(() => device.writeZeroes?.(from, length)),
    );
  }

  discard(offset: number, length: number): Operation<void> {
    return this.#each(offset, length, ({ device, from, length }) => call<void>(() => device.discard?.(from, length)));
  }

  *flush(): Operation<void> {
    yield* together(this.#devices.map((device) => call<void>(() => device.flush?.())));
  }

  *status(offset = 0, length = this.size - offset, limit = STATUS_LIMIT): Operation<Extent[]> {
    requireRange(this.size, offset, length);
    requireLimit(limit);
    const runs: Extent[] = [];
    for (const { device, from, at, length: part } of this.#pieces(offset, length)) {
      const found = yield* statusOf(device, from, part, limit);
      for (const run of found) appendRun(runs, { ...run, offset: run.offset + at - from });
      const last = found[found.length - 1];
      if (runs.length >= limit || last.offset + last.length < from + part) break;
    }
    return runs.slice(0, limit);
  }

  *close(): Operation<void> {
    yield* together(this.#devices.map((device) => call<void>(() => device.close?.())));
  }

  *#each(offset: number, length: number, act: (piece: Piece) => Operation<void>): Operation<void> {
    requireRange(this.size, offset, length);
    yield* together(this.#pieces(offset, length).map(act));
  }

  #pieces(offset: number, length: number): Piece[] {
    const end = offset + length;
    let start = 0;
    return this.#devices.flatMap((device, index) => {
      const at = Math.max(offset, start);
      const from = at - start;
      start += this.#sizes[index];
      const part = Math.min(end, start) - at;
      return part > 0 ? [{ device, from, at, length: part }] : [];
    });
  }
}
