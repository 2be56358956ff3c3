import { isCancellation, sleep } from '@temporalio/workflow';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import type { RecordedService } from '../src/domain/plan/plan-services.ts';
import type { ServiceRecord } from '../src/domain/plan/service-records.ts';
import type { PlannedService } from '../src/domain/services.ts';
import { onCluster, readRecorded, type Underway } from './activity-options.ts';
import { applyAndVerify, verdictOf } from './apply.ts';
import { shortCommit } from './details.ts';
import { failedActivity, passingTrouble } from './failures.ts';
import { patiently } from './patiently.ts';

/** What came of taking a deployment back. */
export interface TakenBack {
  /** Everything that was to be taken back was, and is healthy. */
  done: boolean;
  /** For people; empty when there was nothing to take back. */
  sentence: string;
  records: ServiceRecord[];
}

const TRIES_MAX = 3;
const PAUSE_MS = 15_000;

/**
 * Takes back what a deployment changed: by Helm's history, and where that has forgotten, by applying the
 * commit of the last success again; both checked as any rollout. Before each try the cluster is looked at.
 *
 * @param services with the revisions that ran before the deployment's first attempt
 */
export async function takeBack(
  underway: Underway,
  deployment: DeploymentRef,
  attempt: number,
  services: PlannedService[],
): Promise<TakenBack> {
  const { environment, repository, rollout } = underway;
  const activities = onCluster(underway, `${environment} after ${shortCommit(underway.commit)}`);
  try {
    const recorded = await readRecorded({ repository, environment });
    const { returned = [], applyAgain = [], left = [] } = await returnAll(recorded);
    const records = await verified(returned);
    const again = await applyEarlier(applyAgain, recorded);
    const taken = [
      ...returned.map(({ service, to }) => `${service} to revision ${to}`),
      ...again.taken,
    ];
    const troubles = [...records.troubles, ...again.troubles];
    const sentence = [
      ...(taken.length > 0 ? [`Taken back: ${taken.join(', ')}.`] : []),
      ...(left.length > 0 ? [`Left as it is: ${left.join('; ')}.`] : []),
      ...(troubles.length > 0 ? [`Rolling back failed: ${troubles.join(' ')}`] : []),
    ].join(' ');
    return {
      done: taken.length > 0 && troubles.length === 0,
      sentence,
      records: [...records.records, ...again.records],
    };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const why = failedActivity(error).cause.sentence;
    return { done: false, sentence: `Rolling back failed: ${why}`, records: [] };
  }

  /** An environment half taken back is worse than late: what may pass by itself is tried again. */
  async function returnAll(recorded: RecordedService[]) {
    for (let tries = 1; ; tries += 1) {
      try {
        const names = services.map(({ name }) => name);
        const { deadHolder } = await activities.inspect({ deployment, services: names });
        return await activities.rollBack({ deployment, attempt, services, recorded, deadHolder });
      } catch (error) {
        if (isCancellation(error)) throw error;
        if (passingTrouble(error) === undefined || tries >= TRIES_MAX) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  async function verified(returned: { service: string; to: number; helmRevision: number }[]) {
    if (returned.length === 0) return { records: [], troubles: [] };
    const made = returned.map(({ service, helmRevision }) => ({
      ...{ name: service, chart: '', helmRevision },
    }));
    const watch = activities.watchRollout(rollout, 'Verify the rollback in');
    const look = { deployment, attempt, services: made, takenBack: true as const, rollout };
    const { cause } = verdictOf(await watch({ ...look, mode: 'after' }));
    if (cause) return { records: [], troubles: [cause.sentence] };
    const records = returned.map(({ service, to, helmRevision }): ServiceRecord => ({
      ...{ name: service, chart: '', end: 'taken-back', from: to, helmRevision },
    }));
    return { records, troubles: [] };
  }

  async function applyEarlier(
    wanted: readonly { service: string; commit: string }[],
    recorded: RecordedService[],
  ) {
    const result = {
      taken: [] as string[],
      records: [] as ServiceRecord[],
      troubles: [] as string[],
    };
    for (const commit of new Set(wanted.map((one) => one.commit))) {
      const names = wanted.filter((one) => one.commit === commit).map(({ service }) => service);
      const earlier = { ...deployment, commit };
      const input = { deployment: earlier, force: false, manual: true, recorded };
      await patiently(() => activities.checkout(earlier));
      const plan = await patiently(() => activities.plan(input));
      const chosen = plan.services.filter(({ name }) => names.includes(name));
      // Another attempt than the failed one, whose revisions must not be taken for this one's.
      const { cause, judgement } = await applyAndVerify(
        { ...underway, commit },
        earlier,
        attempt + 1,
        { ...plan, services: chosen },
        () => Promise.resolve(),
      );
      if (cause) {
        result.troubles.push(cause.sentence);
        continue;
      }
      for (const service of chosen) {
        const { helmRevision } =
          judgement?.services.find((one) => one.service === service.name) ?? {};
        result.taken.push(`${service.name} by applying ${shortCommit(commit)} again`);
        result.records.push({
          ...{ ...service, end: 'taken-back' },
          ...(helmRevision === undefined ? {} : { helmRevision }),
        });
      }
    }
    return result;
  }
}
