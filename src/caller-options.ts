/**
 * What a caller hands in as options, checked where it comes in: an object, with names that exist. A mistyped name
 * would pass for the default without a word, and `readonly: true` would open for writing.
 */
import { quote } from "./printable.js";

/** The names of an options object: all of them, as its type has it. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true };

/** Checks names. One that is there with the value undefined is not given. @throws TypeError that names the nearest */
export function requireOptions<Options extends object>(options: Options, names: OptionNames<Options>): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`options: expected an object, got ${quote(options)}`);
  for (const name in options) {
    if (options[name] === undefined || Object.hasOwn(names, name)) continue;
    const nearest = nearestOf(name, Object.keys(names));
    const hint =
      nearest === undefined ? `expected one of ${Object.keys(names).join(", ")}` : `did you mean ${nearest}?`;
    throw new TypeError(`options: there is no option ${quote(name)}: ${hint}`);
  }
}

/** Checks options that say yes or no. @throws TypeError */
export function requireFlags(flags: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined || typeof value === "boolean") continue;
    throw new TypeError(`${name}: expected true or false, got ${quote(value)}`);
  }
}

/** Checks what is to stop a request: the controller in its signal's place would never stop anything. @throws TypeError */
export function requireSignal(signal: AbortSignal | undefined): void {
  const { aborted, addEventListener, throwIfAborted } = (signal ?? {}) as Partial<AbortSignal>;
  const verbs = [addEventListener, throwIfAborted];
  if (signal === undefined || (typeof aborted === "boolean" && verbs.every((verb) => typeof verb === "function")))
    return;
  throw new TypeError(`signal: expected an AbortSignal, got ${quote(signal)}`);
}

/** Checks how a storage is to be made. @throws RangeError */
export function requireCreate(create: unknown): void {
  if (create === undefined || create === "new" || create === "replace") return;
  throw new RangeError(`create: expected "new" or "replace", got ${quote(create)}`);
}

/** The name that was probably meant: the same but for its case, or but for a slip. */
export function nearestOf(given: string, names: readonly string[]): string | undefined {
  const lower = given.toLowerCase();
  const [nearest] = names
    .map((name) => ({ name, slips: slipsBetween(lower, name.toLowerCase()) }))
    .filter(({ name, slips }) => slips <= Math.max(2, name.length / 4))
    .sort((a, b) => a.slips - b.slips);
  return nearest?.name;
}

/** Letters to put in, leave out or change, to make one word of the other (Levenshtein). */
function slipsBetween(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > other.length) return Infinity; // long enough to take time
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let at = 0; at < one.length; at++) {
    const next = [at + 1];
    for (let to = 0; to < other.length; to++) {
      const change = row[to] + (one[at] === other[to] ? 0 : 1);
      next.push(Math.min(change, row[to + 1] + 1, next[to] + 1));
    }
    row = next;
  }
  return row[other.length];
}
