/**
 * How much the random tests do. PARABLOCK_RUNS multiplies their runs (10 for a night), PARABLOCK_SEED replays them:
 * fast-check prints the seed of a failure.
 */
const { PARABLOCK_RUNS, PARABLOCK_SEED }: Record<string, string | undefined> = globalThis.process?.env ?? {};

/** The settings for fc.assert. */
export function runs(numRuns: number): { numRuns: number; seed?: number } {
  const settings = { numRuns: Math.ceil(numRuns * Number(PARABLOCK_RUNS ?? 1)) };
  return PARABLOCK_SEED === undefined ? settings : { ...settings, seed: Number(PARABLOCK_SEED) };
}
