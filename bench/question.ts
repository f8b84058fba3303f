/**
 * A question that the benchmarks answer: one file each, listed in bench/questions.ts, run by bench/main.ts. Nothing here
 * or in what measures the engine needs Node: the playground's page asks that question, too.
 */

export interface Question {
  /** What `--only` and the file of its results call it. */
  name: string;
  title: string;
  /** One sentence: what bounds this path, so what no change to it would make faster. */
  bound: string;
  /** README shows the rows of these names (`what`), against all that they were measured against: a few, if any. */
  main?: readonly string[];
  run(settings: Settings): Promise<Answer>;
}

export interface Settings {
  /** Some seconds instead of up to a minute: fewer rounds, smaller inputs. */
  quick: boolean;
  /** An empty folder, removed afterwards. */
  folder: string;
  /** A recorded boot, for the network alone. */
  trace?: string | undefined;
}

export interface Answer {
  rows: Row[];
  /** Versions of what it was measured against, by name. */
  peers?: Record<string, string>;
  /** Names of peers that are missing, with the rows that need them. */
  skipped?: string[];
}

export interface Row {
  /** What was measured, for people. Together with `against` no two rows of a question have the same. */
  what: string;
  /** What it was measured against, in the same rounds; for a size the bound that it must keep to. */
  against: string;
  /** Speed as a multiple of the other's: above 1 is faster. For bytes: how many times they fit into the other's. */
  ratio: number;
  /** Lower and upper quartile of the rounds' own ratios, of which `ratio` is the median; the ratio itself, twice, where there is one round. */
  spread: [low: number, high: number];
  /** Medians over the rounds. */
  own: number;
  other: number;
  /** Of `own` and `other`: "ns/entry", "µs", "ms", "s", "B". */
  unit: string;
  /** The least ratio that is aimed at. */
  target?: number;
  note?: string;
  /**
   * What the charts draw: a point `at` some place of a `series`, by name. They look for
   * - question "engine", series "map": `at` the fragmentation: "contiguous", "runs of 64", "runs of 8", "runs of 1 to 16", "every entry";
   * - question "disk", series "sync read", "async read", "sync write", "async write": `at` the bytes a request, random;
   * - question "convert", series such as "raw to hds", "hds to raw": `at` the bytes of the disk;
   * - question "check", series such as "in order", "random": `at` the number of clusters.
   * Any series of these four questions is drawn, up to four of them, with names of at most 24 letters; two
   * rows of a series with the same `at` are a mistake.
   */
  series?: string;
  at?: number | string;
}

/** The spread of a row that has one measurement, or none, as sizes do. */
export const once = (ratio: number): Row["spread"] => [ratio, ratio];
