/** The same work for both implementations of the engine. */

export const KINDS = ["wasm", "js"] as const;

export type Pair<T> = Record<(typeof KINDS)[number], T>;

/** What the times are divided by the number of. */
export type Unit = "entry" | "byte" | "cluster" | "mark" | "run";

/** What a row says besides: its place in the chart of fragmentation, or what is aimed at. */
export type TwinNotes = { series: "map"; at: string } | { target: number };

export type TwinWork = [
  what: string,
  work: () => Pair<() => unknown>,
  unit: Unit,
  units: number,
  notes?: TwinNotes | undefined,
];

export function pairOf<T>(make: (kind: (typeof KINDS)[number]) => T): Pair<T> {
  return { wasm: make("wasm"), js: make("js") };
}

/** The same lengths on every call of the benchmark (a 32-bit Lehmer generator). */
export function randomLengths(longest: number): () => number {
  let state = 20_040_229;
  return () => {
    state = (state * 48_271) % 0x7fffffff;
    return 1 + (state % longest);
  };
}
