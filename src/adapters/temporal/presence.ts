import type { Connection } from '@temporalio/client';
import { presenceQueue } from '../../contract/workflow/ids.ts';

/** Of Temporal's API: `temporal.api.enums.v1.TaskQueueType`. */
const ACTIVITY = 2;

/**
 * Whether a worker of the cluster polls. Temporal lists who polled within the last five minutes, by its own
 * clock: comparing that with ours would call workers absent where clocks differ.
 */
export async function hasWorker(
  connection: Connection,
  { namespace, cluster }: { namespace: string; cluster: string },
): Promise<boolean> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: presenceQueue(cluster) },
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- its enum is in a package that only Temporal's own depend on
    taskQueueType: ACTIVITY,
  });
  return pollers.length > 0;
}
