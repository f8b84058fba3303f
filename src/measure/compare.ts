/**
 * What two lists of times, taken in the same rounds, say about each other. Ratios are taken within a round: a machine that
 * slows down for some rounds disturbs both, and their ratio hardly.
 */

export interface Comparison {
  /** Median times. */
  own: number;
  other: number;
  /** Own speed as a multiple of the other's: above 1 is faster. The median of the rounds' own ratios. */
  ratio: number;
  /** Lower and upper quartile of those. */
  spread: [low: number, high: number];
}

/** Compares times, round for round; `scale` turns them into the unit that is told. */
export function compare(own: readonly number[], other: readonly number[], scale = 1): Comparison {
  const ratios = own.map((time, round) => other[round] / time);
  return {
    own: scale * median(own),
    other: scale * median(other),
    ratio: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  };
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The value below which that share of the values lies; between two of them it is reckoned. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place % 1);
}
