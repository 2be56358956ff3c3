import { isCancellation } from '@temporalio/workflow';
import type { ReleasePlace } from '../src/contract/workflow/activities.ts';
import type { ReleaseInput } from '../src/contract/workflow/payloads.ts';
import { groupBy } from '../src/domain/group-by.ts';
import { listPlaces, readInputsOn } from './activity-options.ts';
import { shortCommit } from './details.ts';

// As many as a worker takes at once: those behind them must not seem to find no worker.
const TOGETHER = 8;

/**
 * Digests of what a merge says of its environments, by environment. One that is missing is in doubt, and takes
 * part: its commit cannot be evaluated, or its cluster's worker is away or busy.
 */
export async function readInputs(input: ReleaseInput): Promise<Record<string, string>> {
  // What a person asked for takes part whatever it says.
  if (input.kind !== 'automatic') return {};
  const places = await listPlaces(input);
  const found: Record<string, string> = {};
  const read = async (place: ReleasePlace) => {
    const { environment, cluster } = place;
    const { repository, commit, releaseId: deploymentId } = input;
    const where = `${environment} at ${shortCommit(commit)}`;
    try {
      const ref = { ...place, repository, commit, deploymentId };
      const { inputs } = await readInputsOn(cluster, where)(ref);
      if (inputs !== undefined) found[environment] = inputs;
      return true;
    } catch (error) {
      if (isCancellation(error)) throw error;
      return false;
    }
  };
  const readCluster = async (own: readonly ReleasePlace[]) => {
    for (let at = 0; at < own.length; at += TOGETHER) {
      const answered = await Promise.all(own.slice(at, at + TOGETHER).map(read));
      // A worker that is away is not waited for again and again.
      if (!answered.includes(true)) return;
    }
  };
  const clusters = groupBy(places, ({ cluster }) => cluster);
  await Promise.all([...clusters.values()].map(readCluster));
  return found;
}
