import { sleep } from '@temporalio/workflow';
import type { PlanResult } from '../src/contract/workflow/activities.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { judgeAgreement, type Observation } from '../src/domain/observe/agreement.ts';
import { isBusy, isSame, type HelmMark } from '../src/domain/observe/helm-marks.ts';
import type { RecordedService } from '../src/domain/plan/plan-services.ts';
import type { PlannedService } from '../src/domain/services.ts';
import { onCluster, readRecorded, type Underway } from './activity-options.ts';
import { patiently } from './patiently.ts';

const MINUTE_MS = 60_000;
const LOOK_EVERY_MS = MINUTE_MS;
/** A pipeline deploys one service after the other: what changed last must have stood for so long. */
const SETTLED_MS = 2 * MINUTE_MS;
/** Longer than a rollout takes; a pipeline that has done nothing by then is taken to do nothing. */
const LOOK_FOR_MS = 30 * MINUTE_MS;

interface Begun {
  sinceMs: number;
  recorded: RecordedService[];
  before: HelmMark[];
  plan: PlanResult;
}

export interface ObservedEnd {
  plan: PlanResult;
  observation: Observation;
  /** What runs in the end what the commit says. */
  adopted: PlannedService[];
}

/**
 * Observes what another pipeline makes of a commit, and applies nothing: plans, waits until Helm's
 * releases have changed and stand still, and plans once more. Called again after a failure it goes on with
 * the plan that it made first.
 *
 * @param tell what it waits for, and the plan
 */
export function observing(
  underway: Underway,
  tell: (note: string, plan: PlanResult) => Promise<void>,
): (deployment: DeploymentRef) => Promise<ObservedEnd> {
  let begun: Begun | undefined;
  const { environment, repository } = underway;
  const activities = onCluster(underway);

  return async (deployment) => {
    begun ??= await begin(deployment);
    const { sinceMs, recorded, before, plan } = begun;
    const names = plan.services.map(({ name }) => name).join(', ');
    await tell(
      `Observing what another pipeline changes; planned: ${names === '' ? 'nothing' : names}`,
      plan,
    );
    let last = before;
    let steadySinceMs = sinceMs;
    let compared = false;
    for (;;) {
      await sleep(LOOK_EVERY_MS);
      const after = await activities.readReleases(deployment);
      const nowMs = Date.now();
      if (!isSame(after, last)) {
        steadySinceMs = nowMs;
        compared = false;
      }
      last = after;
      const isOver = nowMs - sinceMs >= LOOK_FOR_MS;
      const isDone = !isSame(after, before) && !isBusy(after);
      const isSettled = isDone && nowMs - steadySinceMs >= SETTLED_MS;
      if (!isOver && (compared || !isSettled)) continue;
      const again = { deployment, force: false, manual: true, recorded, afterwards: true as const };
      const { services: differing, adopted = [] } = await patiently(() => activities.plan(again));
      compared = true;
      const observation = judgeAgreement({
        ...{ planned: plan.services, adopted: plan.adopted ?? [], recorded },
        ...{ before, after, differing },
      });
      const isWaitedFor = observation.services.some(({ result }) => result === 'not-done');
      if (isOver || !isWaitedFor) return { plan, observation, adopted };
    }
  };

  async function begin(deployment: DeploymentRef): Promise<Begun> {
    await patiently(() => activities.checkout(deployment));
    const recorded = await readRecorded({ repository, environment });
    // First, so that what changes while it is planned is seen.
    const before = await activities.readReleases(deployment);
    const asked = { deployment, force: false, manual: false, recorded };
    const plan = await patiently(() => activities.plan(asked));
    return { sinceMs: Date.now(), recorded, before, plan };
  }
}
