import type { Client } from '@temporalio/client';
import {
  DRIFT_PREFIX,
  driftNowId,
  driftScheduleId,
  SERVICE_QUEUE,
} from '../../contract/workflow/ids.ts';
import type { EnvironmentRef } from '../../contract/workflow/payloads.ts';
import { setSchedules } from './schedules.ts';

/** An environment in which drift is looked for regularly. */
export interface DriftWatch extends EnvironmentRef {
  everyMs: number;
}

const WORKFLOW = 'driftWorkflow';
/** Longer than a look may take, with a worker that comes late. */
const RUN_TIMEOUT_MS = 30 * 60_000;

/** Makes Temporal's schedules those of the configuration: none where drift is not looked for any more. */
export async function setDriftSchedules(
  client: Client,
  watches: readonly DriftWatch[],
): Promise<void> {
  const wanted = watches.map(({ everyMs, ...environment }) => ({
    ...{ id: driftScheduleId(environment.repository, environment.environment), everyMs },
    ...{ workflowType: WORKFLOW, input: refOf(environment), runTimeoutMs: RUN_TIMEOUT_MS },
  }));
  await setSchedules(client, DRIFT_PREFIX, wanted);
}

/** Has one environment looked at now, also where nobody does by schedule; a look on its way stands. */
export async function lookForDriftNow(client: Client, environment: EnvironmentRef): Promise<void> {
  await client.workflow.start(WORKFLOW, {
    taskQueue: SERVICE_QUEUE,
    workflowId: driftNowId(environment.repository, environment.environment),
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowRunTimeout: RUN_TIMEOUT_MS,
    args: [refOf(environment)],
    staticSummary: `Look for drift in ${environment.environment}`,
  });
}

/** Nothing else of what is given goes into a history. */
function refOf({ repository, environment, cluster, namespace }: EnvironmentRef): EnvironmentRef {
  return { repository, environment, cluster, namespace };
}
