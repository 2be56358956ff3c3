import { getExternalWorkflowHandle, sleep } from '@temporalio/workflow';
import { deploymentWorkflowId, type LaneKey } from '../src/contract/workflow/ids.ts';
import type { DeploymentEnd, DeploymentRequest } from '../src/contract/workflow/payloads.ts';
import { lookAtDeployment } from './activity-options.ts';

// Its end is looked for quickly at first; an apply may take an hour.
const LOOK_AGAIN_FIRST_MS = 1_000;
const LOOK_AGAIN_MAX_MS = 60_000;

/**
 * The deployment that a lost lane left running, if there is one. `result` answers as that of a child does:
 * it throws when the deployment is gone and left no end in the store.
 */
export async function findOutlived(key: LaneKey) {
  const { running: request } = await lookAtDeployment(key);
  if (!request) return undefined;
  const handle = getExternalWorkflowHandle(deploymentWorkflowId(key));
  return { request, handle, result: () => untilEnded(key, request) };
}

async function untilEnded(key: LaneKey, request: DeploymentRequest): Promise<DeploymentEnd> {
  const { deploymentId } = request;
  for (let waitMs = LOOK_AGAIN_FIRST_MS; ; waitMs = Math.min(2 * waitMs, LOOK_AGAIN_MAX_MS)) {
    await sleep(waitMs);
    const { running, end } = await lookAtDeployment({ ...key, deploymentId });
    if (end) return end;
    if (running?.deploymentId !== deploymentId) throw new Error('it is gone, and left no end');
  }
}
