import {
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { wakeWorkflowId } from '../src/contract/workflow/ids.ts';
import type {
  DeploymentRef,
  DeploymentRequest,
  WakeInput,
} from '../src/contract/workflow/payloads.ts';
import type { PlannedService, RolloutJudgement } from '../src/domain/services.ts';
import { awakeServices } from '../src/domain/wake.ts';
import { onCluster, readRecorded } from './activity-options.ts';
import { shortCommit } from './details.ts';
import { searchAttributes } from './search-attributes.ts';

const LOOK_AGAIN_MS = 5 * 60_000;
// Longer than any holiday; what sleeps on has left its schedule.
const LIMIT_MS = 14 * 86_400_000;

/** Lets what a good deployment left asleep, if anything, be verified again when its schedule wakes it. */
export async function verifyAtWake(
  { cluster, environment, commit, rollout, releaseId }: DeploymentRequest,
  deployment: DeploymentRef,
  attempt: number,
  judgement: RolloutJudgement,
): Promise<void> {
  const services = judgement.services.flatMap(({ service, health }) =>
    health === 'asleep' ? [service] : [],
  );
  if (services.length === 0) return;
  const until = new Date(Date.now() + LIMIT_MS).toISOString();
  await startChild<typeof wakeWorkflow>('wakeWorkflow', {
    workflowId: wakeWorkflowId(deployment),
    args: [{ deployment, attempt, services, rollout, until }],
    // It outlives the deployment, takes no lane, and changes nothing but what is known of health.
    parentClosePolicy: 'ABANDON',
    staticSummary: `Verify ${services.join(', ')} of ${environment} (${cluster}) at ${shortCommit(commit)} again at wake`,
    typedSearchAttributes: searchAttributes({
      ...{ repository: deployment.repository, environment, commit, release: releaseId },
    }),
  });
}

/**
 * Looks from time to time at services that sleep by a schedule, and verifies them as any rollout when they
 * are awake. Ends when all of them were healthy awake, or others took their place; what it finds is told
 * by the watch itself.
 */
export async function wakeWorkflow(input: WakeInput): Promise<void> {
  const { deployment, attempt, rollout, until } = input;
  const { environment, repository, deploymentId } = deployment;
  // Nobody waits for this: while the cluster has no worker it is asked for again, unsaid.
  const unsaid = { ...deployment, untilWorker: () => Promise.resolve() };
  const { watchRollout } = onCluster(unsaid);
  let { services: open } = input;
  while (Date.now() < Date.parse(until)) {
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof wakeWorkflow>({ ...input, services: open });
    }
    await sleep(LOOK_AGAIN_MS);
    const left = await stillOurs();
    open = left.map(({ name }) => name);
    if (left.length === 0) return;
    const awake = awakeServices(left, await look(left, 'once'));
    if (awake.length === 0) continue;
    const judgement = await look(awake, 'after');
    if (judgement?.state !== 'healthy') continue;
    const healthy = new Set(awakeServices(awake, judgement).map(({ name }) => name));
    open = open.filter((name) => !healthy.has(name));
    setCurrentDetails(
      `Healthy at wake: ${[...healthy].join(', ')}. Still open: ${open.join(', ')}`,
    );
    if (open.length === 0) return;
  }

  /** Those that no later deployment changed, with the revisions that run. */
  async function stillOurs(): Promise<PlannedService[]> {
    const recorded = await readRecorded({ repository, environment });
    return recorded.flatMap(({ name, helmRevision, deploymentId: of }) =>
      of === deploymentId && open.includes(name) && helmRevision !== undefined
        ? [{ name, chart: '', helmRevision }]
        : [],
    );
  }

  /** A cluster that is away is looked at again later. */
  async function look(
    services: PlannedService[],
    mode: 'once' | 'after',
  ): Promise<RolloutJudgement | undefined> {
    const watch = watchRollout(rollout, mode === 'once' ? 'Look at' : 'Verify at wake');
    const watched = { deployment, attempt, services, woken: true as const, rollout };
    return watch({ ...watched, mode }).catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      return undefined;
    });
  }
}
