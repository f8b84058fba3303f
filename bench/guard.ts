/**
 * The guard against gross loss: what was measured now beside what was measured once (bench/results/). Machines differ, and
 * are busy, so only a ratio that stays below half of the kept one, in every try, is a loss. A time is never looked at.
 */
import type { Row } from "./question.js";

/** What part of the kept ratio has to be reached. */
const SHARE = 0.5;

export interface Loss {
  /** What was measured, and against what. */
  row: string;
  kept: number;
  /** The best of the tries. */
  best: number;
}

const nameOf = ({ what, against }: Row): string => `${what}, against ${against}`;

/** Rows that were kept and tried alike. */
export function guardedRows(kept: readonly Row[], tried: readonly Row[]): Row[] {
  const names = new Set(tried.map(nameOf));
  return kept.filter((row) => names.has(nameOf(row)));
}

/** Rows whose best ratio of all tries is a loss. */
export function lossesOf(kept: readonly Row[], tries: readonly (readonly Row[])[]): Loss[] {
  return guardedRows(kept, tries.flat()).flatMap((row) => {
    const ratios = tries.flatMap((rows) => rows.filter((one) => nameOf(one) === nameOf(row)).map(({ ratio }) => ratio));
    const best = Math.max(...ratios);
    return best < SHARE * row.ratio ? [{ row: nameOf(row), kept: row.ratio, best }] : [];
  });
}
