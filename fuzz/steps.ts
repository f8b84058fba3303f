/** What is done to an open disk, on both twins and on the model of what they must read as. */
import { DiskError } from "../src/errors.js";
import { below, patternBytes, type Random } from "../test/support/random.js";
import { type Followed, follow, requireMarked } from "./dirty.js";
import { type Answer, Fault, nameOf } from "./fault.js";
import { FOLLOWED, type Model } from "./model.js";
import type { Twins } from "./twins.js";

export interface Play {
  readonly twins: Twins;
  readonly random: Random;
  model: Model;
  /** What a process that dies may leave the disk as: as it was flushed last, and after each step since. */
  versions: Model[];
  /** The bitmaps that are up to date, and since when. */
  readonly followed: Followed;
}

interface Range {
  offset: number;
  length: number;
}

export type Step = (play: Play) => Promise<void>;

/** Often at clusters' bounds, now and then nothing at all. */
function rangeIn({ twins, model, random }: Play): Range {
  const { clusterSize } = twins.disk;
  const most = Math.min(model.size, FOLLOWED);
  const bound = (at: number): number =>
    Math.min(most, random() < 0.5 ? at : Math.round(at / clusterSize) * clusterSize);
  const offset = bound(below(random, most + 1));
  const end = Math.max(offset, bound(offset + below(random, Math.min(most, 3 * clusterSize) + 1)));
  return { offset, length: end - offset };
}

/** What may go wrong on a sound disk: the device is full. */
function requireDone(doing: string, { twins }: Play, { error }: Answer<unknown>, ...codes: string[]): boolean {
  if (error === undefined) return true;
  const named = error instanceof DiskError ? error.code : "";
  if (codes.includes(named) || (twins.wasFull && ["NO_SPACE", "FLUSH_FAILED"].includes(named))) return false;
  throw new Fault(`${doing} on a sound disk fails: ${nameOf(error)}`);
}

/** A change of a range: where it fails nobody knows what it left. */
async function change(play: Play, doing: string, { offset, length }: Range, make: Verb, apply: () => void) {
  const answer = await play.twins.ask(`${doing} of ${length} at ${offset}`, make);
  if (requireDone(doing, play, answer)) apply();
  else play.model.forget(offset, length);
  play.versions.push(play.model.copy());
}

type Verb = Parameters<Twins["ask"]>[1];

const idOf = (random: Random): string => `00000000-0000-4000-8000-00000000000${1 + below(random, 3)}`;

/** Mostly one that is there. */
function knownId({ twins, random }: Play): string {
  const { bitmaps } = twins.disk;
  return bitmaps.length === 0 || random() < 0.1 ? idOf(random) : bitmaps[below(random, bitmaps.length)].id;
}

export const STEPS = {
  async read(play) {
    const { offset, length } = rangeIn(play);
    const answer = await play.twins.ask(`a read of ${length} at ${offset}`, async (disk) => {
      const bytes = new Uint8Array(length);
      await disk.read(bytes, offset);
      return bytes;
    });
    requireDone("reading", play, answer);
    const at = play.model.differs(answer.value ?? new Uint8Array(0), offset);
    if (at >= 0) throw new Fault(`byte ${at} does not read as it was written`);
  },
  async write(play) {
    const range = rangeIn(play);
    const isZeros = play.random() < 0.15;
    const bytes = isZeros ? new Uint8Array(range.length) : patternBytes(below(play.random, 2 ** 30), range.length);
    const write: Verb = (disk) => disk.write(bytes, range.offset);
    await change(play, "a write", range, write, () => play.model.write(bytes, range.offset));
  },
  async writeZeroes(play) {
    const { offset, length } = rangeIn(play);
    const write: Verb = (disk) => disk.writeZeroes(offset, length);
    await change(play, "a write of zeros", { offset, length }, write, () => play.model.clear(offset, length));
  },
  async discard(play) {
    const { offset, length } = rangeIn(play);
    const discard: Verb = (disk) => disk.discard(offset, length);
    await change(play, "a discard", { offset, length }, discard, () => play.model.clear(offset, length));
  },
  async flush(play) {
    if (requireDone("a flush", play, await play.twins.ask("a flush", (disk) => disk.flush())))
      play.versions = [play.model.copy()];
  },
  async status(play) {
    const { offset, length } = rangeIn(play);
    const answer = await play.twins.ask("status", (disk) => disk.status(offset, length));
    const told = (answer.value ?? []).reduce((sum, run) => sum + run.length, 0);
    if (told !== length) throw new Fault(`status tells of ${told} bytes, not of ${length}`);
  },
  async check(play) {
    const { value } = await play.twins.ask("a check", (disk) => disk.check());
    const bad = value?.findings.filter(({ severity }) => severity === "corruption");
    if (bad === undefined || bad.length > 0) throw new Fault(`a disk in use is found corrupt: ${JSON.stringify(bad)}`);
  },
  async info(play) {
    await play.twins.ask("info", (disk) => disk.info);
  },
  async repair(play) {
    const level = play.random() < 0.5 ? "leaks" : "all";
    const answer = await play.twins.ask(`a repair of ${level}`, (disk) => disk.repair(level));
    requireDone("a repair", play, answer);
    if ((answer.value?.after.corruptions ?? 0) > 0) throw new Fault("a repair leaves corruption");
  },
  async compact(play) {
    const options = { order: play.random() < 0.3, dryRun: play.random() < 0.1 };
    const answer = await play.twins.ask("compact", (disk) => disk.compact(options));
    requireDone("compact", play, answer, "UNSUPPORTED");
    const { fileSizeBefore = 0, fileSizeAfter = 0 } = answer.value ?? {};
    // A bitmap may need a cluster for what it has noted.
    if (fileSizeAfter > fileSizeBefore && play.twins.disk.bitmaps.length === 0)
      throw new Fault(`compact makes a file of ${fileSizeBefore} ${fileSizeAfter}`);
    // It flushes on its way, but no caller was told so before it ended.
    play.versions.push(play.model.copy());
  },
  async resize(play) {
    const { model, random } = play;
    const sectors = Math.max(0, model.size / 512 + below(random, 40) - 20);
    const size = 512 * (random() < 0.1 && model.size <= FOLLOWED ? below(random, 200) : sectors);
    const isTooMuch = size > 2 ** 40; // a header may claim as much as the format can say
    const answer = await play.twins.ask(`resize to ${size}`, (disk) => disk.resize(size), isTooMuch);
    if (isTooMuch && answer.error instanceof RangeError) return;
    if (requireDone("resize", play, answer, "UNSUPPORTED", "CORRUPT")) model.resize(size);
    play.versions.push(model.copy());
  },
  async addBitmap(play) {
    const { twins, random, followed } = play;
    const options = { id: idOf(random), granularity: 512 << below(random, 8) };
    const answer = await twins.ask("making a bitmap", (disk) => disk.addBitmap(options));
    requireDone("making a bitmap", play, answer, "EXISTS", "TOO_LARGE");
    follow(twins.disk, followed, play.model);
  },
  async clearBitmap(play) {
    const id = knownId(play);
    if (!requireDone("clearing", play, await play.twins.ask("clearing", (disk) => disk.clearBitmap(id)), "NOT_FOUND"))
      return;
    play.followed.delete(id);
    follow(play.twins.disk, play.followed, play.model);
  },
  async removeBitmap(play) {
    const id = knownId(play);
    requireDone("removing", play, await play.twins.ask("removing", (disk) => disk.removeBitmap(id)), "NOT_FOUND");
    if (play.twins.disk.bitmaps.some((bitmap) => bitmap.id === id) && !play.twins.wasFull)
      throw new Fault("a bitmap that was removed is there");
    follow(play.twins.disk, play.followed, play.model);
  },
  async dirty(play) {
    const id = knownId(play);
    const answer = await play.twins.ask("dirty ranges", (disk) => disk.dirtyRanges(id));
    requireDone("dirty ranges", play, answer, "NOT_FOUND", "STALE");
    await requireMarked(play.twins.disk, play.followed, play.model);
  },
  async beyond(play) {
    const [offset, bytes] = [play.model.size - below(play.random, 2), new Uint8Array(2 + below(play.random, 600))];
    const verb = (["read", "write"] as const)[below(play.random, 2)];
    const answer = await play.twins.ask(`a ${verb} beyond the end`, (disk) => disk[verb](bytes, offset), true);
    if (!(answer.error instanceof RangeError)) throw new Fault(`a ${verb} beyond the end: ${nameOf(answer.error)}`);
  },
} satisfies Record<string, Step>;

export const STEP_NAMES = Object.keys(STEPS) as (keyof typeof STEPS)[];
