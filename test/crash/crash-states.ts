/**
 * The states that a crash may leave: which version of each pending sector survives, and which length. All of them where
 * they are few, else a sample in which the likely kinds of loss all occur.
 */
import { below, type Random } from "../support/random.js";
import { type Pending, type PendingSector, SECTOR } from "./crash-storage.js";

export interface CrashState {
  size: number;
  /** For each pending sector, as many as lie before the size: 0 for its durable version, else the version's number. */
  picks: Uint8Array;
}

/** How many different states there are. */
export function countStates({ sizes, sectors }: Pending): number {
  let count = 0;
  for (const { value } of sizes)
    count += within(sectors, value).reduce((all, { versions }) => all * (versions.length + 1), 1);
  return count;
}

/** Every state; `freshOnly` leaves out those that a crash before the last request may leave, too. */
export function* allStates(pending: Pending, freshOnly: boolean): Generator<CrashState> {
  for (const size of pending.sizes) {
    const sectors = within(pending.sectors, size.value);
    const fresh = sectors.map(({ versions }) => [false, ...versions.map(({ request }) => request === pending.newest)]);
    const picks = new Uint8Array(sectors.length);
    do {
      const wanted = !freshOnly || size.request === pending.newest || picks.some((pick, index) => fresh[index][pick]);
      if (wanted) yield { size: size.value, picks };
    } while (advance(picks, sectors));
  }
}

/** Steps to the next combination, like an odometer; false after the last one. */
function advance(picks: Uint8Array, sectors: PendingSector[]): boolean {
  for (let index = 0; index < picks.length; index++) {
    if (picks[index] < sectors[index].versions.length) {
      picks[index]++;
      return true;
    }
    picks[index] = 0;
  }
  return false;
}

/** Decides for a request whether it survives in a sector; -1 stands for the file's length. */
export type Survival = (request: number, sector: number) => boolean;

/** Some different states: `seen` holds the keys of those that need not come again. */
export function* someStates(pending: Pending, count: number, random: Random, seen: Set<number>): Generator<CrashState> {
  const requests = requestsOf(pending);
  for (let tries = 0; tries < count; tries++) {
    const state = stateUnder(pending, randomSurvival(requests, random));
    const key = keyOf(pending, state);
    if (seen.has(key)) continue;
    seen.add(key);
    yield state;
  }
}

/** What is left of a file where these requests survive. */
export function stateUnder(pending: Pending, survives: Survival): CrashState {
  const size = pending.sizes.findLast(({ request }) => request < 0 || survives(request, -1))!.value;
  const picks = Uint8Array.from(
    within(pending.sectors, size),
    ({ sector, versions }) => 1 + versions.findLastIndex(({ request }) => survives(request, sector)),
  );
  return { size, picks };
}

/** One of the ways in which things go wrong. */
export function randomSurvival(requests: readonly number[], random: Random): Survival {
  const one = requests[below(random, requests.length)] ?? 0;
  const lucky = new Set(requests.filter(() => random() < 0.5));
  switch (below(random, 6)) {
    case 0: // everything up to one request
      return (request) => request <= one;
    case 1: // everything but one request
      return (request) => request !== one;
    case 2: // one request alone
      return (request) => request === one;
    case 3: // any subset of whole requests
      return (request) => lucky.has(request);
    case 4: // one request is torn, the others survive or not as wholes
      return (request) => (request === one ? random() < 0.5 : lucky.has(request));
    default: // every sector for itself
      return () => random() < 0.5;
  }
}

/** The requests of which something is pending. */
export function requestsOf({ sizes, sectors }: Pending): number[] {
  const requests = new Set(sizes.map(({ request }) => request));
  for (const { versions } of sectors) for (const { request } of versions) requests.add(request);
  requests.delete(-1);
  return [...requests];
}

/** The sectors that begin before the file's end; the others are lost, whatever their version. */
function within(sectors: PendingSector[], size: number): PendingSector[] {
  if (sectors.length === 0 || sectors[sectors.length - 1].sector * SECTOR < size) return sectors;
  return sectors.filter(({ sector }) => sector * SECTOR < size);
}

/** A number for a state: the same for the same versions, however many requests have come since. */
function keyOf({ sectors }: Pending, { size, picks }: CrashState): number {
  let [high, low] = [size | 0, 0x811c9dc5];
  for (let index = 0; index < picks.length; index++) {
    const pick = picks[index];
    if (pick === 0) continue;
    const { sector, versions } = sectors[index];
    high = Math.imul(high ^ sector, 0x9e3779b1) ^ (high >>> 15);
    low = Math.imul(low ^ versions[pick - 1].request ^ Math.imul(sector, 0x85ebca6b), 0x01000193) ^ (low >>> 13);
  }
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}
