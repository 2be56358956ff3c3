import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { SlipwayError } from '../src/domain/errors.ts';
import {
  formatHolder,
  judgeHolder,
  parseHolder,
  type Holder,
  type HolderJudgement,
} from '../src/domain/lease.ts';
import type { HelmReleaseFacts } from '../src/domain/services.ts';
import type { ClusterDeps, ClusterView } from './cluster-deps.ts';
import { healHelmReleases } from './heal-helm-releases.ts';
import { beating } from './heartbeat.ts';

/**
 * Looks at the cluster before an attempt, and never assumes: waits for a holder of the environment that
 * may live, ends what is left of a dead one, and heals the Helm releases that it left half-done.
 */
export function createInspect(deps: ClusterDeps): ClusterActivities['inspect'] {
  return ({ deployment, services }) =>
    beating(async () => {
      const { deadHolder, dead } = await outliveHolder(deps, deployment);
      const found = await healAll(deps.cluster(deployment), deployment, services, dead?.operation);
      return { deadHolder, ...found };
    });
}

/** Labels pass on to later revisions, such as those of a rollback; the description does not. */
function appliedBy({ deploymentId }: DeploymentRef, helmReleases: readonly HelmReleaseFacts[]) {
  return helmReleases.flatMap(({ service, status, description }) => {
    const [, by, attempt] = /^slipway ([^ /]+)\/([0-9]+) /.exec(description) ?? [];
    return status === 'deployed' && by === deploymentId
      ? [{ service, attempt: Number(attempt) }]
      : [];
  });
}

/** The same after the last attempt: nobody comes next who would take a dead holder's Lease. */
export function createHeal(deps: ClusterDeps): ClusterActivities['heal'] {
  return ({ deployment, attempt, services }) =>
    beating(async (signal) => {
      const { deadHolder, dead } = await outliveHolder(deps, deployment);
      const { deploymentId } = deployment;
      // Who has to go on from here must know what was interrupted first.
      const operation = dead?.operation ?? 'apply';
      const me = formatHolder({ deploymentId, attempt, operation, process: deps.processes.me });
      const cluster = deps.cluster(deployment);
      return cluster.lease.hold(me, deadHolder, signal, () =>
        healAll(cluster, deployment, services, dead?.operation),
      );
    });
}

/** Nobody holds the environment when it returns, or one that is proved dead and has no process left. */
async function outliveHolder(
  deps: ClusterDeps,
  deployment: DeploymentRef,
): Promise<{ deadHolder: string; dead?: Holder | undefined }> {
  const cluster = deps.cluster(deployment);
  const lease = await cluster.lease.look();
  const seen = judgeHolder(lease, deps.processes.me, deps.processes.isRunning);
  const judgement = await withPod(cluster, seen);
  if (judgement.holder === 'alive') {
    throw new SlipwayError('helm-locked', `The environment is held by the ${judgement.who}.`);
  }
  if (judgement.holder === 'unknown') {
    throw new SlipwayError(
      'helm-locked',
      `The environment is held by the ${judgement.who}, which is silent but not proved dead. ` +
        'When you know that it has ended, delete the Lease "slipway" in the namespace.',
    );
  }
  const deadHolder = judgement.holder === 'dead' ? (lease?.holder ?? '') : '';
  const dead = parseHolder(deadHolder);
  if (dead) await deps.processes.endLeftovers(`${dead.deploymentId}/${dead.attempt}`);
  return { deadHolder, dead };
}

async function healAll(
  cluster: ClusterView,
  deployment: DeploymentRef,
  services: readonly string[],
  interrupted: Holder['operation'] | undefined,
) {
  const superseded = await cluster.supersedeOlderRevisions();
  const { marked, waitFor } = await healHelmReleases(cluster, services, interrupted);
  if (waitFor !== undefined) throw new SlipwayError('helm-locked', `${waitFor}.`);
  const applied = appliedBy(deployment, await cluster.helmReleases());
  return { healed: [...superseded, ...marked], applied };
}

/** A holder in a pod of this cluster died with it; its own Lease had to fall silent first. */
async function withPod(
  cluster: Pick<ClusterView, 'isPodGone'>,
  seen: HolderJudgement,
): Promise<HolderJudgement> {
  if (seen.holder !== 'unknown' || !seen.pod) return seen;
  return (await cluster.isPodGone(seen.pod)) ? { holder: 'dead' } : seen;
}
