import type { Release } from '../contract/api/release.ts';
import { satisfies } from '../domain/phases.ts';

/**
 * Finds an environment that must succeed before one of the chosen ones and neither did in this release
 * nor is chosen too. One that the release did not touch stands in nobody's way.
 */
export function findMissingPredecessor(
  chosen: readonly string[],
  environments: ReadonlyMap<string, { after: readonly string[] }>,
  release: Pick<Release, 'deployments'>,
): { environment: string; needs: string } | undefined {
  for (const environment of chosen) {
    for (const needs of environments.get(environment)?.after ?? []) {
      const newest = release.deployments.find((of) => of.environment === needs);
      if (newest && !satisfies(newest.phase) && !chosen.includes(needs)) {
        return { environment, needs };
      }
    }
  }
  return undefined;
}
