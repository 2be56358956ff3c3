import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { onCluster, type Underway } from './activity-options.ts';
import { verdictOf, type Verdict } from './apply.ts';

/**
 * Restarts workloads after a verified apply, and waits until they are healthy again. The services count as
 * succeeded only when this is done: a rerun after a failed restart would find nothing to apply, and be green.
 *
 * @param verified what the apply left, which stands when the restart goes well
 */
export async function restartAndVerify(
  underway: Underway,
  deployment: DeploymentRef,
  attempt: number,
  workloads: string[],
  verified: Verdict,
  enter: (note: string) => Promise<void>,
): Promise<Verdict> {
  const { rollout } = underway;
  const activities = onCluster(underway);
  await enter(`Restarting ${workloads.join(', ')}`);
  await activities.restart({ deployment, attempt, workloads });
  const watch = activities.watchRollout(rollout, 'Verify the restart in');
  const look = { deployment, attempt, services: [], restarted: workloads, rollout };
  const verdict = verdictOf(await watch({ ...look, mode: 'after' }));
  return verdict.cause ? verdict : verified;
}
