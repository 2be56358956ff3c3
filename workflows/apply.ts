import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { PlanResult } from '../src/contract/workflow/activities.ts';
import type { DeploymentRef, DeploymentRequest } from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import type { RolloutJudgement } from '../src/domain/services.ts';
import { onCluster } from './activity-options.ts';
import { shortCommit } from './details.ts';
import { failedActivity } from './failures.ts';

/**
 * Applies a plan while watching the cluster beside it, then waits until the services are healthy.
 * Returns the cause when the release is bad; throws what an activity threw when it could not be done.
 */
export async function applyAndVerify(
  request: DeploymentRequest,
  deployment: DeploymentRef,
  attempt: number,
  plan: PlanResult,
  onApplied: () => Promise<void>,
): Promise<CauseReport | undefined> {
  const { cluster, environment, commit, rollout } = request;
  const activities = onCluster(cluster, `${environment} at ${shortCommit(commit)}`);
  const look = { deployment, attempt, services: plan.services, rollout };

  const services = plan.services.map(({ name }) => name);
  const { deadHolder } = await activities.inspect({ deployment, services });
  const givenUp = await applyBesideWatch();
  if (givenUp) return givenUp;
  await onApplied();
  const judgement = await activities.watchRollout(rollout, 'Verify')({ ...look, mode: 'after' });
  if (judgement.state === 'healthy') return undefined;
  return judgement.cause ?? { code: 'rollout-timeout', sentence: sentenceOf(judgement) };

  /** A definite failure ends the apply early: helm would wait for its own timeout. */
  async function applyBesideWatch(): Promise<CauseReport | undefined> {
    const applyScope = new CancellationScope();
    const watchScope = new CancellationScope();
    let judgement: RolloutJudgement | undefined;
    const watch = watchScope
      .run(() => activities.watchRollout(rollout, 'Watch')({ ...look, mode: 'beside' }))
      .then(
        (result) => {
          judgement = result;
          if (result.state === 'failed') applyScope.cancel();
        },
        // Watching is a help to the apply, never a reason to stop it.
        () => undefined,
      );
    try {
      await applyScope.run(() => activities.apply({ deployment, attempt, plan, deadHolder }));
      return undefined;
    } catch (error) {
      // The deployment itself was cancelled: not for this function to judge.
      if (CancellationScope.current().consideredCancelled) throw error;
      if (isCancellation(error)) return causeOf(judgement);
      const cause = await explain(error);
      if (!cause) throw error;
      return cause;
    } finally {
      watchScope.cancel();
      await watch;
    }
  }

  /** When helm failed by itself, the cluster often says why in better words than helm. */
  async function explain(error: unknown): Promise<CauseReport | undefined> {
    const failed = failedActivity(error);
    if (failed.cause.code !== 'helm-failed') return undefined;
    const seen = await activities.watchRollout(rollout, 'Explain')({ ...look, mode: 'once' });
    return seen.cause && seen.cause.code !== 'helm-failed' ? seen.cause : failed.cause;
  }
}

function causeOf(judgement: RolloutJudgement | undefined): CauseReport {
  return judgement?.cause ?? { code: 'helm-failed', sentence: 'The apply was ended early.' };
}

function sentenceOf({ services }: RolloutJudgement): string {
  const late = services.filter(({ state }) => state !== 'healthy');
  return `Not healthy in time: ${late.map(({ service, note }) => `${service} (${note})`).join('; ')}.`;
}
