import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import { parseRestart } from '../src/domain/restart.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';

/**
 * Restarts workloads after an apply. Without the environment's Lease: each is one patch of a field that
 * Helm does not know, and the attempt's mark keeps a second call from restarting anything twice.
 */
export function createRestart(deps: ClusterDeps): ClusterActivities['restart'] {
  return ({ deployment, attempt, workloads }) =>
    beating(() =>
      logging(
        deps.logs,
        { deploymentId: deployment.deploymentId, attempt, step: 'restart' },
        async (write) => {
          const mark = `${deployment.deploymentId}/${attempt}`;
          await deps.cluster(deployment).restart(workloads.map(parseRestart), mark);
          for (const workload of workloads) write(`${workload}: restarted`);
        },
      ),
    );
}
