/**
 * The states that a loss of power may leave in a folder: which names survive, and what of each file that they lead to.
 * All of them where they are few, else a sample in which the likely kinds of loss all occur, over names and files alike.
 */
import { below, type Random } from "../support/random.js";
import { apply, type CrashFile, type CrashFolder, type Names } from "./crash-folder.js";
import { allStates, type CrashState, countStates, randomSurvival, requestsOf, stateUnder } from "./crash-states.js";
import type { Pending } from "./crash-storage.js";

/** What may be left of the folder's files, looked at once for all states of a moment. */
export interface FolderPending {
  names: readonly Names[];
  files: ReadonlyMap<CrashFile, Pending>;
  /** What is durable of each file, as a key. */
  durable: ReadonlyMap<CrashFile, number>;
}

export interface FolderState {
  names: Names;
  /** What is left of each file that has a name. */
  files: ReadonlyMap<CrashFile, CrashState>;
}

/** More changes of names than that have too many subsets to look at each. */
const MOST_CHANGES = 8;

/** Of names none, where they alone have too many states. */
export function pendingOf(folder: CrashFolder): FolderPending {
  const files = new Map<CrashFile, Pending>();
  const see = (file: CrashFile) => files.has(file) || files.set(file, file.storage.pending());
  for (const file of folder.durable.values()) see(file);
  for (const { file } of folder.changes) see(file);
  const names = folder.changes.length > MOST_CHANGES ? [] : subsetsOf(folder);
  const durable = new Map(Array.from(files, ([file, pending]) => [file, durableKey(pending)]));
  return { names, files, durable };
}

/** The different sets of names that subsets of the changes lead to. */
function subsetsOf(folder: CrashFolder): Names[] {
  let found = new Map<string, Map<string, CrashFile>>([["", new Map(folder.durable)]]);
  for (const change of folder.changes) {
    const next = new Map<string, Map<string, CrashFile>>();
    for (const names of found.values()) {
      const changed = new Map(names);
      apply(changed, change);
      for (const some of [names, changed]) next.set(keyOfNames(some), some);
    }
    found = next;
  }
  return [...found.values()];
}

/** How many states there are; Infinity where that is not counted. */
export function countFolderStates({ names, files }: FolderPending): number {
  if (names.length === 0) return Number.POSITIVE_INFINITY;
  const counts = new Map(Array.from(files, ([file, pending]) => [file, countStates(pending)]));
  const countOf = (some: Names) => [...some.values()].reduce((count, file) => count * counts.get(file)!, 1);
  return names.reduce((count, some) => count + countOf(some), 0);
}

export function* allFolderStates({ names, files }: FolderPending): Generator<FolderState> {
  const named = new Set(names.flatMap((some) => [...some.values()]));
  const states = new Map(Array.from(named, (file) => [file, statesOf(files.get(file)!)]));
  for (const some of names)
    for (const left of combinations([...some.values()], states)) yield { names: some, files: left };
}

const statesOf = (pending: Pending): CrashState[] =>
  Array.from(allStates(pending, false), ({ size, picks }) => ({ size, picks: picks.slice() }));

function* combinations(
  [file, ...others]: readonly CrashFile[],
  states: ReadonlyMap<CrashFile, readonly CrashState[]>,
): Generator<ReadonlyMap<CrashFile, CrashState>> {
  if (file === undefined) {
    yield new Map();
    return;
  }
  for (const rest of combinations(others, states))
    for (const state of states.get(file)!) yield new Map(rest).set(file, state);
}

/** So many states, of which some may be the same. */
export function* someFolderStates(
  folder: CrashFolder,
  { files }: FolderPending,
  count: number,
  random: Random,
): Generator<FolderState> {
  const requests = new Set(folder.changes.map(({ request }) => request));
  for (const pending of files.values()) for (const request of requestsOf(pending)) requests.add(request);
  const all = [...requests].sort((a, b) => a - b);
  for (let tries = 0; tries < count; tries++) {
    const survives = randomSurvival(all, random);
    // At times names go their own way: a journal is written when it likes.
    const last = below(random, 3) === 0 ? (all[below(random, all.length)] ?? 0) : undefined;
    const names = new Map(folder.durable);
    for (const change of folder.changes) {
      const { request } = change;
      if (last === undefined ? survives(request, -1) : request <= last) apply(names, change);
    }
    const states = new Map<CrashFile, CrashState>();
    for (const file of names.values()) states.set(file, stateUnder(files.get(file)!, survives));
    yield { names, files: states };
  }
}

/** The same for the same names and versions, durable or not, however many requests have come since. */
export function keyOfState({ names, files }: FolderState, pending: FolderPending): string {
  const parts = Array.from(files, ([file, state]) => {
    const key = keyOfFile(pending.files.get(file)!, pending.durable.get(file)!, state);
    return `${file.id}:${state.size}:${key}`;
  });
  return `${keyOfNames(names)} ${parts.sort().join(" ")}`;
}

/** Sums, so that the order in which sectors became what they are does not matter. */
function keyOfFile({ sectors, durable }: Pending, base: number, { picks }: CrashState): number {
  let key = base;
  for (let index = 0; index < picks.length; index++) {
    const pick = picks[index];
    if (pick === 0) continue;
    const { sector, versions } = sectors[index];
    key += keyOfVersion(sector, versions[pick - 1].request) - keyOfVersion(sector, durable.get(sector) ?? 0);
  }
  return key;
}

function durableKey({ durable }: Pending): number {
  let key = 0;
  for (const [sector, request] of durable) key += keyOfVersion(sector, request) - keyOfVersion(sector, 0);
  return key;
}

/** 40 bits, so that sums of thousands are exact. */
function keyOfVersion(sector: number, request: number): number {
  const mixed = Math.imul(Math.imul(sector + 1, 0x9e3779b1) ^ Math.imul(request + 1, 0x85ebca6b), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 15)) >>> 0) * 256 + (Math.imul(mixed, 0x27d4eb2f) >>> 24);
}

const keyOfNames = (names: Names): string =>
  Array.from(names, ([name, { id }]) => `${name}/${id}`)
    .sort()
    .join("/");
