/** Ids of workflows and names of task queues; made here and nowhere else. */

/** What must never be applied to twice at once. */
export interface LaneKey {
  cluster: string;
  namespace: string;
}

/** Workflows and light activities, beside the server. */
export const SERVICE_QUEUE = 'slipway';

/** Activities that need one cluster's credentials. */
export function clusterQueue(cluster: string): string {
  return `slipway-cluster-${cluster}`;
}

/** Polled by every worker of a cluster and given nothing: a worker that is busy does not poll its own queue. */
export function presenceQueue(cluster: string): string {
  return `slipway-presence-${cluster}`;
}

/** One workflow for each commit of a repository; run 0 is the merge, each rerun counts up. */
export function releaseWorkflowId(repository: string, commit: string, run: number): string {
  const id = `release/${repository}/${commit}`;
  return run === 0 ? id : `${id}/${run}`;
}

export function laneWorkflowId({ cluster, namespace }: LaneKey): string {
  return `lane/${cluster}/${namespace}`;
}

export const POLL_PREFIX = 'poll/';

/** The schedule that looks at a repository's branch; its runs are called so too, with their time. */
export function pollScheduleId(repository: string): string {
  return `${POLL_PREFIX}${repository}`;
}

export const DRIFT_PREFIX = 'drift/';

/** The schedule that looks for drift in an environment; its runs are called so too, with their time. */
export function driftScheduleId(repository: string, environment: string): string {
  return `${DRIFT_PREFIX}${repository}/${environment}`;
}

/** A look that a person asks for: one at a time for each environment. */
export function driftNowId(repository: string, environment: string): string {
  return `drift-now/${repository}/${environment}`;
}

/** A fixed id for each environment, so that Temporal itself keeps two deployments from running. */
export function deploymentWorkflowId({ cluster, namespace }: LaneKey): string {
  return `deployment/${cluster}/${namespace}`;
}

/** What verifies a deployment again when its services wake; beside the lane, which it does not take. */
export function wakeWorkflowId(deployment: LaneKey & { deploymentId: string }): string {
  return `wake/${deployment.cluster}/${deployment.namespace}/${deployment.deploymentId}`;
}
