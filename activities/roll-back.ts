import type { Helmfile } from '../src/adapters/helmfile/helmfile.ts';
import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import { CAUSES, SlipwayError } from '../src/domain/errors.ts';
import { decideRemedy } from '../src/domain/heal.ts';
import { formatHolder } from '../src/domain/lease.ts';
import { decideRollback, rollbackDescription } from '../src/domain/rollback.ts';
import type { ClusterDeps, ClusterView } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';

/**
 * Returns every service that the deployment changed to the Helm revision that ran before it, under the
 * environment's Lease, and waits for each to be ready. Done again after a crash it finds what is left.
 */
export function createRollBack(deps: ClusterDeps): ClusterActivities['rollBack'] {
  return ({ deployment, attempt, services, recorded = [], deadHolder = '' }) =>
    beating((signal) =>
      logging(
        deps.logs,
        { deploymentId: deployment.deploymentId, attempt, step: 'apply' },
        (write) => {
          const { deploymentId } = deployment;
          const process = deps.processes.me;
          const holder = formatHolder({ deploymentId, attempt, operation: 'rollback', process });
          const cluster = deps.cluster(deployment);
          return cluster.lease.hold(holder, deadHolder, signal, (held) =>
            deps.withHelmfile(deployment, attempt, held, async (helmfile) => {
              const history = await cluster.helmHistory(services.map(({ name }) => name));
              const steps = decideRollback({ planned: services, history, recorded, deploymentId });
              const returned: { service: string; to: number; helmRevision: number }[] = [];
              const applyAgain: { service: string; commit: string }[] = [];
              const left: string[] = [];
              // One after the other: the same order in which a person could follow it.
              for (const step of steps) {
                const { service } = step;
                if (step.do === 'leave') left.push(`${service}: ${step.because}`);
                else if (step.do === 'apply-again') applyAgain.push(step);
                else if (step.do === 'done') returned.push(step);
                else {
                  const { to } = step;
                  const description = rollbackDescription(deploymentId, to);
                  const how = { service, to, description, write };
                  const answer = await returnTo(cluster, helmfile, how);
                  if (typeof answer === 'string') left.push(answer);
                  else returned.push({ service, to, helmRevision: answer });
                }
              }
              for (const line of left) write(`${line}; left as it is`);
              const takenBack = returned.map(({ service, to }) => `${service} to revision ${to}`);
              return { takenBack, returned, applyAgain, left };
            }),
          );
        },
      ),
    );
}

interface Return {
  service: string;
  to: number;
  description: string;
  write: (line: string) => void;
}

/**
 * The revision that Helm made for it, or why it could not. One service that cannot be taken back keeps no
 * other from it; what may pass by itself is thrown, and all of it tried again.
 */
async function returnTo(
  cluster: ClusterView,
  helmfile: Helmfile,
  { service, to, description, write }: Return,
): Promise<number | string> {
  try {
    await helmfile.rollback(service, to, description, write);
    const newest = (await cluster.helmReleases()).find((release) => release.service === service);
    return newest?.helmRevision ?? 0;
  } catch (error) {
    await healOwn(cluster, description);
    const mayPass = !(error instanceof SlipwayError) || CAUSES[error.code].kind === 'transient';
    if (mayPass) throw error;
    return `${service} to revision ${to}: ${error.message}`;
  }
}

/** Helm leaves its revision pending when it is told to end; its process is gone by now. */
async function healOwn(cluster: ClusterView, description: string): Promise<void> {
  try {
    for (const release of await cluster.helmReleases()) {
      if (release.description !== description) continue;
      const remedy = decideRemedy(release, 0, { helmTimeoutMs: 0 });
      if (remedy.do === 'mark-failed') {
        await cluster.markHelmRevisionFailed(release, remedy.because);
      }
    }
  } catch {
    // A cluster that is away is looked at again before the next attempt.
  }
}
