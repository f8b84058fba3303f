/**
 * What must hold of a repair, whatever the file is like that it is asked for: nothing that could be read is lost, nothing
 * that nobody refers to is touched, no state comes to be that we refuse ourselves, and both engines do the same.
 */
import { DiskSync } from "../../src/disk-sync.js";
import type { EngineKind } from "../../src/engine/engine.js";
import { DiskError } from "../../src/errors.js";
import { probe } from "../../src/format/header.js";
import type { CheckReport, RepairLevel } from "../../src/image/reports.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { FIELD, fieldOf } from "../support/image.js";
import { below, patternBytes, type Random } from "../support/random.js";
import { firstLoss, lookAt, type Readable } from "./readable.js";
import { WatchedStorage } from "./watched-storage.js";

const BAT = 64;
const OPTIONS = { prealloc: { mode: "off" } } as const;

/** What a trial has shown, for counting. */
export type Outcome = "unreadable" | "refused" | "sound" | "repaired";

export class Trial {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #random: Random;
  /** Where the BAT ends, or ought to: before it a repair may write. */
  #tablesEnd = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>, random: Random) {
    this.#bytes = bytes;
    this.#random = random;
  }

  /** @throws Error that says what does not hold */
  run(): Outcome {
    const before = this.#looked(this.#bytes);
    if (before === undefined) return "unreadable";
    this.#opensOrRefuses(before.content);
    return this.#repairs(before.content, before.report);
  }

  /** The image as a repair leaves it, closed, and then without leaks; undefined where it is refused. */
  repaired(): Uint8Array<ArrayBuffer> | undefined {
    const all = this.#repairedBy("all", "js");
    if (all instanceof DiskError) return undefined;
    const storage = new MemoryStorage(all.bytes);
    DiskSync.open(storage, { ...OPTIONS, engine: "js", repair: "leaks" }).close();
    return storage.toUint8Array();
  }

  /** Looks at a file with both engines, which must agree; undefined where it does not open. */
  #looked(bytes: Uint8Array): { content: Readable; report: CheckReport } | undefined {
    const [js, wasm] = [lookAt(bytes, "js"), lookAt(bytes, "wasm")];
    if ((js === undefined) !== (wasm === undefined)) throw new Error("one engine opens it, the other does not");
    if (js === undefined || wasm === undefined) return undefined;
    const reports = [js, wasm].map(({ disk }) => JSON.stringify([disk.check(), { ...disk.info, engine: "" }]));
    if (reports[0] !== reports[1]) throw new Error(`the engines see different things: ${reports.join(" and ")}`);
    if (firstLoss(js.content, wasm.content) + firstLoss(wasm.content, js.content) !== -2)
      throw new Error("the engines read different bytes");
    const entries = Math.max(fieldOf(bytes, FIELD.batEntries), Math.ceil(js.disk.size / js.disk.clusterSize));
    this.#tablesEnd = BAT + 4 * entries;
    return { content: js.content, report: js.disk.check() };
  }

  /** Opened for writing and closed, an image reads as before; refused, it is as it was. */
  #opensOrRefuses(content: Readable): void {
    const storage = new WatchedStorage(this.#bytes);
    try {
      DiskSync.open(storage, { ...OPTIONS, engine: "js" }).close();
    } catch (error) {
      requireNamed(error);
      if (storage.states.length > 0) throw new Error("an image that is refused was changed");
      return;
    }
    this.#keptThrough(storage, content, "opening and closing");
    this.#requireOwn(storage.toUint8Array());
  }

  #repairs(content: Readable, report: CheckReport): Outcome {
    const damaged = report.findings.some(({ kind, severity }) => severity === "corruption" && kind !== "unclean");
    const [js, wasm] = [this.#repairedBy("all", "js"), this.#repairedBy("all", "wasm")];
    if (js instanceof DiskError || wasm instanceof DiskError) {
      const codes = [js, wasm].map((result) => (result instanceof DiskError ? result.code : "repaired"));
      if (codes[0] !== codes[1]) throw new Error(`the engines differ: ${codes.join(" and ")}`);
      return "refused";
    }
    if (firstDifference(js.bytes, wasm.bytes) >= 0) throw new Error("the engines repair in different ways");
    this.#keptThrough(js.storage, content, "a repair");
    this.#requireModest(js.bytes, report);
    if (damaged) this.#requireUntouched(js.bytes, "a repair");
    this.#requireOwn(js.bytes);
    this.#freesLeaks(js.bytes, content);
    if (damaged) this.#writesOn(js.backup);
    return damaged ? "repaired" : "sound";
  }

  /** Repairs and closes; answers the error where that is refused, with the image as it was. */
  #repairedBy(
    repair: RepairLevel,
    engine: EngineKind,
  ): DiskError | { bytes: Uint8Array<ArrayBuffer>; storage: WatchedStorage; backup?: Uint8Array } {
    const storage = new WatchedStorage(this.#bytes);
    try {
      const disk = DiskSync.open(storage, { ...OPTIONS, engine, repair });
      const { after, backup } = disk.repaired!;
      if (after.corruptions > 0) throw new Error(`a repair leaves ${JSON.stringify(after.findings)}`);
      const found = JSON.stringify(disk.check());
      if (found !== JSON.stringify(after)) throw new Error(`a repair says ${JSON.stringify(after)}, a check ${found}`);
      disk.close();
      return {
        bytes: storage.toUint8Array(),
        storage,
        ...(backup === undefined ? {} : { backup: backup as Uint8Array }),
      };
    } catch (error) {
      const named = requireNamed(error);
      if (storage.states.length > 0)
        throw new Error(`a repair that is refused (${named.message}) has changed the image`);
      return named;
    }
  }

  /** After every request the image still opens and shows what could be read, and at the end, too. */
  #keptThrough({ states }: WatchedStorage, content: Readable, doing: string): void {
    for (const [index, state] of states.entries()) {
      const last = index === states.length - 1;
      if (!last && this.#random() < 0.75) continue;
      const seen = lookAt(state, "js");
      const about = `after request ${index + 1} of ${states.length} of ${doing}`;
      if (seen === undefined) throw new Error(`${about} the image does not open any more`);
      const lost = firstLoss(content, seen.content);
      if (lost >= 0) throw new Error(`${about} byte ${lost} is lost`);
      if (this.#random() < 0.1) this.#requireRepairable(state, about);
    }
  }

  /** What was not refused before must not come to be. */
  #requireRepairable(state: Uint8Array, about: string): void {
    try {
      DiskSync.open(new MemoryStorage(state), { ...OPTIONS, engine: "js", repair: "all" }).abandon();
    } catch (error) {
      const named = requireNamed(error);
      if (this.#repairedBy("all", "js") instanceof DiskError) return;
      throw new Error(`${about} a repair is refused: ${named.message}`);
    }
  }

  /** The file grows by the clusters that its entries need, and no more. */
  #requireModest(bytes: Uint8Array, { findings }: CheckReport): void {
    const clusterSize = fieldOf(bytes, FIELD.tracks) * 512;
    const moved = findings.filter(({ kind }) => kind === "offGrid" || kind === "duplicate" || kind === "outside");
    const copies = moved.reduce((sum, { count }) => sum + count, 0);
    // An extension that is kept is written anew where its bitmaps had to be, and the old one is spared.
    const anew = fieldOf(bytes, FIELD.extensionLow) > 0 ? 1 : 0;
    const most = Math.max(this.#bytes.length, this.#tablesEnd + clusterSize) + (copies + 2 + anew) * clusterSize;
    if (bytes.length > most)
      throw new Error(`a repair makes the file ${bytes.length} bytes long, from ${this.#bytes.length}`);
  }

  /** What changes for the guest is marked in the bitmap of an extension that is kept: its bits lie in the cluster before. */
  #isMarked(bytes: Uint8Array, at: number): boolean {
    const clusterSize = fieldOf(this.#bytes, FIELD.tracks) * 512;
    const extension = fieldOf(this.#bytes, FIELD.extensionLow) * 512;
    const inBitmap = at < extension && at >= extension - clusterSize;
    return inBitmap && (bytes[at] & this.#bytes[at]) === this.#bytes[at]; // bits are only added
  }

  /** Behind the tables everything is as it was found. */
  #requireUntouched(bytes: Uint8Array, doing: string, except?: (offset: number) => boolean): void {
    if (bytes.length < this.#bytes.length) throw new Error(`${doing} cuts the file to ${bytes.length} bytes`);
    for (let at = this.#tablesEnd; at < this.#bytes.length; at++)
      if (bytes[at] !== this.#bytes[at] && !except?.(at) && !this.#isMarked(bytes, at))
        throw new Error(`${doing} changes byte ${at} of the file`);
  }

  /** What we have written opens for writing, without a repair. */
  #requireOwn(bytes: Uint8Array): void {
    const disk = DiskSync.open(new MemoryStorage(bytes), { ...OPTIONS, engine: "js" });
    const { corruptions, findings } = disk.check();
    if (corruptions > 0) throw new Error(`what was closed has ${JSON.stringify(findings)}`);
    disk.abandon();
  }

  /** The second step: afterwards nothing is wrong, and nothing reads otherwise. */
  #freesLeaks(bytes: Uint8Array, content: Readable): void {
    const storage = new WatchedStorage(bytes);
    DiskSync.open(storage, { ...OPTIONS, engine: "js", repair: "leaks" }).close();
    this.#keptThrough(storage, content, "freeing leaks");
    const { findings } = lookAt(storage.toUint8Array(), "js")!.disk.check();
    if (findings.length > 0) throw new Error(`a second repair leaves ${JSON.stringify(findings)}`);
  }

  /** The session that repaired goes on, writes and discards: what nobody refers to stays, and the undo works. */
  #writesOn(backup: Uint8Array | undefined): void {
    const storage = new WatchedStorage(this.#bytes);
    const disk = DiskSync.open(storage, { ...OPTIONS, engine: "js", repair: "all" });
    const used = usedRanges(storage.toUint8Array());
    for (let step = below(this.#random, 5); step > 0 && disk.size > 0 && disk.size < 2 ** 20; step--) {
      const offset = below(this.#random, disk.size);
      const length = Math.min(1 + below(this.#random, 2 * disk.clusterSize), disk.size - offset);
      if (this.#random() < 0.3) disk.discard(offset, length);
      else disk.write(patternBytes(step, length), offset);
      if (this.#random() < 0.2) disk.flush();
    }
    disk.close();
    const bytes = storage.toUint8Array();
    this.#requireUntouched(bytes, "writing on", (at) => used.some(([from, to]) => at >= from && at < to));
    this.#requireOwn(bytes);
    if (backup !== undefined) this.#undoes(bytes, backup);
  }

  /** Undoing brings back each entry that still leads nowhere and whose place was not taken, and touches nothing else. */
  #undoes(bytes: Uint8Array, backup: Uint8Array): void {
    const before = lookAt(bytes, "js")!;
    const storage = new WatchedStorage(bytes);
    const count = DiskSync.undoRepair(storage, backup);
    const undone = storage.toUint8Array();
    this.#keptThrough(storage, withoutDropped(before.content, bytes, backup), "undoing");
    if (firstDifference(undone.subarray(this.#tablesEnd), bytes.subarray(this.#tablesEnd)) >= 0)
      throw new Error("undoing changes bytes behind the tables");
    let returned = 0;
    for (let at = BAT; at < BAT + 4 * fieldOf(bytes, FIELD.batEntries) && at + 4 <= backup.length; at += 4) {
      const [was, is, saved] = [fieldOf(bytes, at), fieldOf(undone, at), fieldOf(backup, at)];
      if (was !== is && is !== saved) throw new Error(`undoing makes entry ${(at - BAT) / 4} ${is}`);
      if (was !== is) returned++;
      if (was === 0 && is === 0 && leadsBeyond(bytes, saved))
        throw new Error(`entry ${(at - BAT) / 4} was not put back`);
    }
    if (returned !== count) throw new Error(`undoing says ${count} and puts ${returned} back`);
  }
}

const isV2 = (bytes: Uint8Array): boolean => probe(bytes) === "v2";

/** Whether an entry leads beyond a file's end. */
function leadsBeyond(bytes: Uint8Array, entry: number): boolean {
  const unit = isV2(bytes) ? 512 * fieldOf(bytes, FIELD.tracks) : 512;
  return entry > 0 && entry * unit >= bytes.length && (fieldOf(bytes, FIELD.flags) & 1) === 0;
}

/** What the dropped entries read as (nothing) need not be so after an undo. */
function withoutDropped(content: Readable, bytes: Uint8Array, backup: Uint8Array): Readable {
  const clusterSize = fieldOf(bytes, FIELD.tracks) * 512;
  const mask = content.mask.slice();
  for (let at = BAT; at + 4 <= backup.length; at += 4) {
    const start = ((at - BAT) / 4) * clusterSize;
    if (fieldOf(backup, at) !== 0 && at + 4 <= bytes.length && fieldOf(bytes, at) === 0)
      mask.fill(0, start, start + clusterSize);
  }
  return { bytes: content.bytes, mask };
}

/** The ranges of a sound image's file that its BAT leads to. */
function usedRanges(bytes: Uint8Array): [from: number, to: number][] {
  const clusterSize = fieldOf(bytes, FIELD.tracks) * 512;
  const unit = isV2(bytes) ? clusterSize : 512;
  const ranges: [number, number][] = [];
  for (let at = BAT; at < BAT + 4 * fieldOf(bytes, FIELD.batEntries); at += 4) {
    const entry = fieldOf(bytes, at);
    if (entry !== 0) ranges.push([entry * unit, entry * unit + clusterSize]);
  }
  return ranges;
}

/** An error with a name and a message, or the test fails with it. */
function requireNamed(error: unknown): DiskError {
  if (error instanceof DiskError && error.message.length > 20) return error;
  throw error;
}
