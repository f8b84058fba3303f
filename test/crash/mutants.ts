/**
 * Engines that break one of the five rules each, or the order of writes, so that the simulator can show that it would notice. Nothing in the
 * engine is made for this: a mutant stands between disk and storage, or changes what the engine's tables answer.
 */
import { vi } from "vitest";
import type { DiskSync } from "../../src/disk-sync.js";
import { JsEngine } from "../../src/engine/js.js";
import { HEADER_SIZE, IN_USE } from "../../src/format/header.js";
import { PassingStorage } from "../support/storages.js";
import type { CrashStorage } from "./crash-storage.js";
import { type Between, GUEST_STEPS, type Step } from "./history.js";
import { saysClosed } from "./judge.js";
import type { Limits } from "./session.js";
import type { Scale } from "./setting.js";

/** What a mutant is made of. */
export class Passing extends PassingStorage<CrashStorage> {
  /** What the disk is doing. */
  step: Step | undefined;

  protected isBat(offset: number): boolean {
    const entries = new DataView(this.inner.cached().buffer).getUint32(32, true);
    return offset >= HEADER_SIZE && offset < HEADER_SIZE + 4 * entries;
  }
}

export const isHeader = (offset: number): boolean => offset === 0;

/** Rule 1: the flush that makes in_use durable is left out. */
class LateMark extends Passing {
  #marking = false;

  override write(buffer: Uint8Array, offset: number): number {
    this.#marking = isHeader(offset) && !saysClosed(buffer) && saysClosed(this.inner.cached());
    return super.write(buffer, offset);
  }

  override flush(): void {
    if (!this.#marking) super.flush();
    this.#marking = false;
  }
}

/** Rule 2: of a flush and a write of the BAT that follows it, the write comes first. */
class EarlyBat extends Passing {
  #owed = false;

  override write(buffer: Uint8Array, offset: number): number {
    if (!this.isBat(offset)) this.#pay();
    const moved = super.write(buffer, offset);
    this.#pay();
    return moved;
  }

  override truncate(size: number): void {
    this.#pay();
    super.truncate(size);
  }

  override flush(): void {
    this.#pay();
    this.#owed = true;
  }

  #pay(): void {
    if (this.#owed) super.flush();
    this.#owed = false;
  }
}

/** Rule 3: clusters are free as soon as they lose their entry; that they are freed again at the flush has no effect. */
function releaseAtOnce(): void {
  const { unlink, release } = JsEngine.prototype;
  const released = new Map<number, number>();
  vi.spyOn(JsEngine.prototype, "unlink").mockImplementation(function (this: JsEngine, first, count) {
    const hosts = Array.from(this.bat.subarray(first, first + count), (entry) => (entry - this.origin) / this.step);
    unlink.call(this, first, count);
    for (const host of hosts) {
      release.call(this, host, 1);
      released.set(host, (released.get(host) ?? 0) + 1);
    }
  });
  vi.spyOn(JsEngine.prototype, "release").mockImplementation(function (this: JsEngine, first, count) {
    for (let host = first; host < first + count; host++) {
      const times = released.get(host) ?? 0;
      if (times === 0) release.call(this, host, 1);
      else released.set(host, times - 1);
    }
  });
}

/** Rule 4: closing begins with saying that it is done. */
class EarlyClose extends Passing {
  closing(disk: DiskSync): void {
    if (disk.info.inUse !== IN_USE.open) return;
    const header = this.inner.cached().slice(0, HEADER_SIZE);
    new DataView(header.buffer).setUint32(44, IN_USE.closed, true);
    this.inner.write(header, 0);
    this.inner.flush();
  }
}

/** Rule 5: the flush between the last BAT and the cut is left out; the mark still comes after one. */
class EarlyCut extends Passing {
  #closing = false;
  #batWritten = false;
  #owed = false;

  closing(): void {
    this.#closing = true;
  }

  override write(buffer: Uint8Array, offset: number): number {
    if (isHeader(offset) && this.#owed) super.flush();
    if (isHeader(offset)) this.#owed = false;
    this.#batWritten ||= this.isBat(offset);
    return super.write(buffer, offset);
  }

  override truncate(size: number): void {
    this.#batWritten = false;
    super.truncate(size);
  }

  override flush(): void {
    this.#owed = this.#closing && this.#batWritten;
    if (this.#owed) return;
    this.#batWritten = false;
    super.flush();
  }
}

/** The order of writes: entries reach the file at flushes only, as if nothing had them settled before. */
class LateEntries extends Passing {
  readonly #late: [Uint8Array, number][] = [];

  override write(buffer: Uint8Array, offset: number): number {
    if (!this.isBat(offset)) return super.write(buffer, offset);
    this.#late.push([buffer.slice(), offset]);
    return buffer.length;
  }

  override flush(): void {
    for (const [bytes, offset] of this.#late.splice(0)) super.write(bytes, offset);
    super.flush();
  }
}

/** Puts a wrapper of each storage between. */
export function wrapped<T extends Passing & { closing?(disk: DiskSync): void; settle?(): void }>(
  Wrapper: new (inner: CrashStorage) => T,
  steps: readonly Step[] = GUEST_STEPS,
): Between {
  let current: T | undefined;
  return {
    steps,
    begins: (step) => {
      if (current !== undefined) current.step = step;
    },
    ended: () => current?.settle?.(),
    storage: ({ storage }) => {
      current = new Wrapper(storage);
      return current;
    },
    closing: (disk) => current?.closing?.(disk),
  };
}

export interface Mutant {
  /** The number of a rule for losses of power, or what else it breaks. */
  rule: number | string;
  name: string;
  /** How the simulator is to look for it. */
  losing: Limits["losing"];
  /** On how large disks. Default: small ones. */
  scale?: Scale;
  /** Over images with a format extension. Default: over such without. */
  extended?: boolean;
  /** Over a base in any case. */
  over?: boolean;
  /** Makes it; what it changes in the engine is restored by the test. */
  make(): Between;
  /** What the simulator must say. */
  complaint: RegExp;
}

export const mutants: readonly Mutant[] = [
  {
    rule: 1,
    name: "in_use is not durable before the first change",
    losing: "power",
    make: () => wrapped(LateMark),
    complaint: /^the image says that it was closed cleanly, but differs at byte/,
  },
  {
    rule: 2,
    name: "a BAT entry reaches the file before its cluster's content is durable",
    losing: "power",
    make: () => wrapped(EarlyBat),
    complaint: /^sector \d+ reads as|lead(s)? to beyond the end of the file/,
  },
  {
    rule: 3,
    name: "a freed cluster is reused before the BAT without it is durable",
    losing: "power",
    make: () => {
      releaseAtOnce();
      return wrapped(Passing);
    },
    complaint: /^sector \d+ reads as (a version of sector|bytes that|zeros)/,
  },
  {
    rule: 4,
    name: "in_use is cleared before all else is durable",
    losing: "power",
    make: () => wrapped(EarlyClose),
    complaint: /^the image says that it was closed cleanly, but differs at byte/,
  },
  {
    rule: 5,
    name: "the file is shortened before the BAT that needs less is durable",
    losing: "power",
    make: () => wrapped(EarlyCut),
    // The same flush is what released clusters wait for before they are cleared: which of the two shows first is chance.
    complaint: /^sector \d+ reads as|lead(s)? to beyond the end of the file/,
  },
  {
    rule: "order",
    name: "a later write shows in the file before an earlier one",
    losing: "nothing",
    make: () => wrapped(LateEntries),
    complaint: /^out of order: /,
  },
];
