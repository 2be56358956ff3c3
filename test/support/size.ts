/** Sizes of model tests: small for each commit, large with `SLIPWAY_TEST_SIZE=long`. */

export function isLong(): boolean {
  return process.env.SLIPWAY_TEST_SIZE === 'long';
}

export function sized({ commit, long }: { commit: number; long: number }): number {
  return isLong() ? long : commit;
}

/** A new seed each time, or that of `SLIPWAY_TEST_SEED`; printed, so that a run can be repeated. */
export function printedSeed(what: string, cases: number): number {
  const seed = Number(process.env.SLIPWAY_TEST_SEED ?? Date.now() % 2_147_483_647);
  process.stdout.write(`${what}: ${cases} cases, SLIPWAY_TEST_SEED=${seed}\n`);
  return seed;
}
