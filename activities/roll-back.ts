import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import { formatHolder } from '../src/domain/lease.ts';
import { decideRollback } from '../src/domain/rollback.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';

/**
 * Returns every service that the deployment changed to the Helm revision that ran before it, under the
 * environment's Lease, and waits for each to be ready. Done again after a crash it finds what is left.
 */
export function createRollBack(deps: ClusterDeps): ClusterActivities['rollBack'] {
  return ({ deployment, attempt, services }) =>
    beating((signal) =>
      logging(
        deps.logs,
        { deploymentId: deployment.deploymentId, attempt, step: 'apply' },
        (write) => {
          const { deploymentId } = deployment;
          const process = deps.processes.me;
          const holder = formatHolder({ deploymentId, attempt, operation: 'rollback', process });
          const cluster = deps.cluster(deployment);
          return cluster.lease.hold(holder, '', signal, (held) =>
            deps.withHelmfile(deployment, attempt, held, async (helmfile) => {
              const helmReleases = await cluster.helmReleases();
              const steps = decideRollback(services, helmReleases, deploymentId);
              // One after the other: the same order in which a person could follow it.
              for (const { service, to } of steps) {
                if (to === 'uninstall') await helmfile.uninstall(service, write);
                else await helmfile.rollback(service, to, write);
              }
              const takenBack = steps.map(({ service, to }) =>
                to === 'uninstall' ? `${service} uninstalled` : `${service} to revision ${to}`,
              );
              return { takenBack };
            }),
          );
        },
      ),
    );
}
