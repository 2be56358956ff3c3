import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { PlanResult } from '../src/contract/workflow/activities.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import { CAUSES, isCauseCode } from '../src/domain/errors.ts';
import type { PlannedService, RolloutJudgement } from '../src/domain/services.ts';
import { onCluster, type Underway } from './activity-options.ts';
import { failedActivity, passingTrouble } from './failures.ts';
import { patiently } from './patiently.ts';

export interface Verdict {
  /** Why the release is bad; absent when it is good. */
  cause?: CauseReport;
  /** The last look at the cluster, if there was one. */
  judgement?: RolloutJudgement;
}

/**
 * Applies a plan while watching the cluster beside it, then waits until the services are healthy.
 * Returns what became of the services; throws what an activity threw when it could not be done.
 *
 * @param onApplied told when helm has ended, and then of trouble while it is verified
 * @param before what earlier attempts were to apply, by number: what helm brought to its end is only verified
 * @param say told what keeps the apply from beginning, and nothing when it begins
 */
export async function applyAndVerify(
  underway: Underway,
  deployment: DeploymentRef,
  attempt: number,
  plan: PlanResult,
  onApplied: (trouble?: string) => Promise<void>,
  before: ReadonlyMap<number, readonly PlannedService[]> = new Map(),
  say: (trouble?: string) => Promise<void> = () => Promise.resolve(),
): Promise<Verdict> {
  const { rollout } = underway;
  const activities = onCluster(underway);
  const look = { deployment, attempt, services: plan.services, rollout };

  const services = plan.services.map(({ name }) => name);
  const { deadHolder, applied = [] } = await inspectAloud({ deployment, services });
  const done = applied.flatMap(
    (one) => before.get(one.attempt)?.find(({ name }) => name === one.service) ?? [],
  );
  const left = plan.services.filter(
    (service) => !done.some((one) => one.name === service.name && isSameInput(service, one)),
  );
  if (left.length > 0) {
    const givenUp = await applyBesideWatch();
    if (givenUp) return givenUp;
  } else if (deadHolder !== '') {
    // No apply comes that would take the Lease from the dead.
    await activities.heal({ deployment, attempt, services });
  }
  await onApplied();
  return verify(underway, deployment, attempt, plan, onApplied);

  /** Whoever holds the environment may do so for minutes: that is said before it is waited for. */
  async function inspectAloud(look: { deployment: DeploymentRef; services: string[] }) {
    try {
      return await activities.inspectOnce(look);
    } catch (error) {
      const trouble = isCancellation(error) ? undefined : passingTrouble(error);
      if (trouble === undefined) throw error;
      await say(`${trouble} Looked at again every few seconds, for about two minutes.`);
      const found = await activities.inspect(look);
      await say();
      return found;
    }
  }

  /** A definite failure ends the apply early: helm would wait for its own timeout. */
  async function applyBesideWatch(): Promise<Verdict | undefined> {
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
      const wanted = { ...withoutDiff(plan), services: left };
      const input = { deployment, attempt, plan: wanted, deadHolder };
      await applyScope.run(() => activities.apply(input));
      return undefined;
    } catch (error) {
      // The deployment itself was cancelled: not for this function to judge.
      if (CancellationScope.current().consideredCancelled) throw error;
      if (isCancellation(error)) return endedEarly(judgement);
      const verdict = await explain(error);
      if (!verdict) throw error;
      return verdict;
    } finally {
      watchScope.cancel();
      await watch;
    }
  }

  /** When helm failed by itself, the cluster often says why in better words than helm. */
  async function explain(error: unknown): Promise<Verdict | undefined> {
    const { cause } = failedActivity(error);
    if (!isCauseCode(cause.code) || CAUSES[cause.code].kind === 'transient') return undefined;
    const seen = await activities.watchRollout(rollout, 'Explain')({ ...look, mode: 'once' });
    const better = cause.code === 'helm-failed' && seen.cause?.code !== 'helm-failed';
    return { judgement: seen, cause: better ? (seen.cause ?? cause) : cause };
  }
}

/** Waits until the services of a plan are healthy, or are not in time. */
export async function verify(
  underway: Underway,
  deployment: DeploymentRef,
  attempt: number,
  { services }: PlanResult,
  say: (trouble?: string) => Promise<void>,
): Promise<Verdict> {
  const { rollout } = underway;
  const { verifyRollout } = onCluster(underway);
  const look = { deployment, attempt, services, rollout };
  const verified = () => verifyRollout(rollout)({ ...look, mode: 'after' });
  return verdictOf(await patiently(verified, say));
}

/** What became of what was watched until its end. */
export function verdictOf(judgement: RolloutJudgement): Verdict {
  if (judgement.state === 'healthy') return { judgement };
  const late = { code: 'rollout-timeout', sentence: sentenceOf(judgement) } as const;
  return { judgement, cause: judgement.cause ?? late };
}

function isSameInput(now: PlannedService, before: PlannedService): boolean {
  if (now.unstable || now.fingerprint === undefined) return false;
  return (
    now.fingerprint === before.fingerprint &&
    now.chartVersion === before.chartVersion &&
    now.chartDigest === before.chartDigest
  );
}

/** The diff is for people, and large: the history holds it once. */
function withoutDiff({ digest, services, unstable }: PlanResult): PlanResult {
  return { digest, services, ...(unstable ? { unstable } : {}) };
}

function endedEarly(judgement: RolloutJudgement | undefined): Verdict {
  const sentence = 'The apply was ended early.';
  const cause = judgement?.cause ?? ({ code: 'helm-failed', sentence } as const);
  return { cause, ...(judgement ? { judgement } : {}) };
}

function sentenceOf({ services }: RolloutJudgement): string {
  const late = services.filter(({ state }) => state !== 'healthy');
  return `Not healthy in time: ${late.map(({ service, note }) => `${service} (${note})`).join('; ')}.`;
}
