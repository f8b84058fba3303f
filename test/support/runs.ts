/**
 * How much the random tests do. PARABLOCK_RUNS multiplies their runs (10 for a night), PARABLOCK_SEED replays them:
 * fast-check prints the seed of a failure. With CI=true all is done, else what takes long is done in part.
 */
const { PARABLOCK_RUNS, PARABLOCK_SEED, CI }: Record<string, string | undefined> = globalThis.process?.env ?? {};

/** Whether what takes long is to be done in full. */
export const thorough = CI === "true";

/** All of a table's rows, or every n-th of them where not all is done. */
export function sampled<T>(rows: readonly T[], every: number): readonly T[] {
  return thorough ? rows : rows.filter((_, index) => index % every === 0);
}

/** The settings for fc.assert; `quickly` is for runs that need not be thorough. */
export function runs(numRuns: number, quickly = numRuns): { numRuns: number; seed?: number } {
  const settings = { numRuns: Math.ceil((thorough ? numRuns : quickly) * Number(PARABLOCK_RUNS ?? 1)) };
  return PARABLOCK_SEED === undefined ? settings : { ...settings, seed: Number(PARABLOCK_SEED) };
}
