import type { RetryPolicy } from '@temporalio/common';
import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { ClusterActivities, ServiceActivities } from '../src/contract/workflow/activities.ts';
import { clusterQueue, SERVICE_QUEUE } from '../src/contract/workflow/ids.ts';
import type { DeploymentRequest } from '../src/contract/workflow/payloads.ts';
import { CHANGE_HEARTBEAT_MS, LOOK_AGAIN_MS } from '../src/domain/lost-worker.ts';
import type { RolloutPolicy } from '../src/domain/rollout.ts';
import { shortCommit } from './details.ts';
import { wasNotTaken } from './failures.ts';

/** Every timeout and retry of an activity, each with its reason. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

// PostgreSQL or Temporal may be away for hours: what must be written waits for them, without limit.
const untilDone = { initialInterval: SECOND, maximumInterval: 30 * SECOND } as const;

const recording: ActivityOptions = {
  taskQueue: SERVICE_QUEUE,
  startToCloseTimeout: 20 * SECOND,
  retry: untilDone,
};

// These read git, whose first fetch of a large repository takes minutes.
const readingGit: ActivityOptions = {
  ...recording,
  startToCloseTimeout: 15 * MINUTE,
  heartbeatTimeout: 30 * SECOND,
};

export const {
  listPlaces,
  recordPhase,
  recordOutcome,
  submitToLane,
  beginDriftLook,
  recordDrift,
  lookAtDeployment,
  readRecorded,
} = proxyActivities<ServiceActivities>(recording);

export const { startRelease, acceptCommit, readGates } =
  proxyActivities<ServiceActivities>(readingGit);

// The lane says what stands in the way, and asks again.
export const { orderWaiting } = proxyActivities<ServiceActivities>({
  ...readingGit,
  retry: { initialInterval: SECOND, maximumAttempts: 3 },
});

// The next poll comes anyway, and one that hangs holds it up.
export const { pollHead } = proxyActivities<ServiceActivities>({
  ...readingGit,
  scheduleToCloseTimeout: 5 * MINUTE,
  retry: { initialInterval: SECOND, maximumInterval: 10 * SECOND, maximumAttempts: 3 },
});

/** The look for drift on one cluster's queue. It belongs to no deployment, and nobody waits for it. */
export function driftOnCluster(cluster: string, where: string): ClusterActivities['lookForDrift'] {
  return proxyActivities<ClusterActivities>({
    taskQueue: clusterQueue(cluster),
    // A worker that is absent is told; the next look comes by itself.
    scheduleToStartTimeout: 5 * MINUTE,
    startToCloseTimeout: 5 * MINUTE,
    scheduleToCloseTimeout: 12 * MINUTE,
    heartbeatTimeout: 30 * SECOND,
    retry: { initialInterval: SECOND, maximumInterval: 30 * SECOND, maximumAttempts: 3 },
    // After whatever a deployment asks for.
    priority: { priorityKey: 5 },
    summary: `Look for drift in ${where}`,
  }).lookForDrift;
}

/** Reads what a commit says, on one cluster's queue; without an answer the environment takes part. */
export function readInputsOn(cluster: string, where: string) {
  return proxyActivities<ClusterActivities>({
    taskQueue: clusterQueue(cluster),
    // Nothing waits for a worker that is away or busy.
    scheduleToStartTimeout: 10 * SECOND,
    startToCloseTimeout: 2 * MINUTE,
    heartbeatTimeout: 30 * SECOND,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { maximumAttempts: 1 },
    summary: `Read what ${where} says`,
  }).readInputs;
}

/** A deployment as the parts of its workflow know it. */
export interface Underway extends DeploymentRequest {
  /** Waits while its cluster has no worker, and says so. */
  untilWorker: () => Promise<void>;
}

/** The activities on one cluster's queue, with a sentence for Temporal's UI. */
export function onCluster(
  underway: Pick<Underway, 'cluster' | 'environment' | 'commit' | 'untilWorker'>,
  where = `${underway.environment} at ${shortCommit(underway.commit)}`,
) {
  const { cluster, untilWorker } = underway;
  const common: ActivityOptions = {
    taskQueue: clusterQueue(cluster),
    // As long as Temporal remembers a worker that is gone; then the deployment says that it is.
    scheduleToStartTimeout: 5 * MINUTE,
    // The default leaves the process running while the workflow moves on (sdk-typescript#2442).
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  };
  // For a connection that broke; who asks is patient with more, and says what it waits for.
  const quickly = { initialInterval: SECOND, maximumAttempts: 3 };
  // Rides out about 90 s of a cluster that is away; longer is the attempts' business.
  const readOnly = {
    initialInterval: SECOND,
    maximumInterval: 30 * SECOND,
    maximumAttempts: 8,
  };
  // Asked until a lost holder's Lease has been silent for its whole duration.
  const untilHolderIsSilent = {
    initialInterval: SECOND,
    maximumInterval: LOOK_AGAIN_MS,
    maximumAttempts: 20,
  };
  const inspecting = (retry: RetryPolicy) =>
    proxyActivities<ClusterActivities>({
      ...common,
      startToCloseTimeout: 2 * MINUTE,
      heartbeatTimeout: 30 * SECOND,
      retry,
      summary: `Inspect ${where}`,
    }).inspect;
  const activities = {
    checkout: proxyActivities<ClusterActivities>({
      ...common,
      startToCloseTimeout: 10 * MINUTE,
      heartbeatTimeout: 30 * SECOND,
      retry: quickly,
      summary: `Check out ${where}`,
    }).checkout,
    plan: proxyActivities<ClusterActivities>({
      ...common,
      startToCloseTimeout: 10 * MINUTE,
      heartbeatTimeout: 30 * SECOND,
      retry: quickly,
      summary: `Plan ${where}`,
    }).plan,
    readReleases: proxyActivities<ClusterActivities>({
      ...common,
      startToCloseTimeout: 2 * MINUTE,
      heartbeatTimeout: 30 * SECOND,
      retry: readOnly,
      summary: `Look at Helm's releases of ${where}`,
    }).readReleases,
    inspect: inspecting(untilHolderIsSilent),
    inspectOnce: inspecting(quickly),
    heal: proxyActivities<ClusterActivities>({
      ...common,
      startToCloseTimeout: 2 * MINUTE,
      // The end of a deployment is told though nobody comes who could heal: the next one looks again.
      scheduleToCloseTimeout: 5 * MINUTE,
      heartbeatTimeout: 30 * SECOND,
      retry: untilHolderIsSilent,
      summary: `Heal ${where}`,
    }).heal,
    apply: proxyActivities<ClusterActivities>({
      ...common,
      startToCloseTimeout: 45 * MINUTE,
      heartbeatTimeout: CHANGE_HEARTBEAT_MS,
      // The workflow decides on another attempt, after it has looked at the cluster.
      retry: { maximumAttempts: 1 },
      summary: `Apply ${where}`,
    }).apply,
    restart: proxyActivities<ClusterActivities>({
      ...common,
      startToCloseTimeout: 2 * MINUTE,
      heartbeatTimeout: 30 * SECOND,
      // Asked again it changes nothing.
      retry: readOnly,
      summary: `Restart workloads of ${where}`,
    }).restart,
    rollBack: proxyActivities<ClusterActivities>({
      ...common,
      startToCloseTimeout: 45 * MINUTE,
      heartbeatTimeout: CHANGE_HEARTBEAT_MS,
      // The workflow tries again, after it has looked at the cluster.
      retry: { maximumAttempts: 1 },
      summary: `Roll back ${where}`,
    }).rollBack,
  };
  const watching = (retry: RetryPolicy) => (rollout: RolloutPolicy, when: string) =>
    proxyActivities<ClusterActivities>({
      ...common,
      startToCloseTimeout: 50 * MINUTE + rollout.timeoutMs + rollout.soakMs,
      heartbeatTimeout: 30 * SECOND,
      retry,
      summary: `${when} ${where}`,
    }).watchRollout;
  // Watching changes nothing: a lost worker's watch goes on elsewhere.
  const watch = watching({
    initialInterval: SECOND,
    maximumInterval: 10 * SECOND,
    maximumAttempts: 20,
  });
  const verify = watching(quickly);
  const taken = <Input, Result>(call: (input: Input) => Promise<Result>) =>
    untilTaken(call, untilWorker);
  return {
    checkout: taken(activities.checkout),
    plan: taken(activities.plan),
    readReleases: taken(activities.readReleases),
    inspect: taken(activities.inspect),
    /** The same, but soon answered with what stands in the way. */
    inspectOnce: taken(activities.inspectOnce),
    // Not waited for: the next deployment looks again.
    heal: activities.heal,
    apply: taken(activities.apply),
    restart: taken(activities.restart),
    rollBack: taken(activities.rollBack),
    watchRollout: (rollout: RolloutPolicy, when: string) => taken(watch(rollout, when)),
    verifyRollout: (rollout: RolloutPolicy) => taken(verify(rollout, 'Verify')),
  };
}

/** No worker took it in time, so nothing was begun: it is asked for again when one is there. */
function untilTaken<Input, Result>(
  call: (input: Input) => Promise<Result>,
  untilWorker: () => Promise<void>,
): (input: Input) => Promise<Result> {
  return async (input) => {
    for (;;) {
      try {
        return await call(input);
      } catch (error) {
        if (!wasNotTaken(error)) throw error;
        await untilWorker();
      }
    }
  };
}
