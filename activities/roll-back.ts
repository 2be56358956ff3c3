import type { Helmfile } from '../src/adapters/helmfile/helmfile.ts';
import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import { CAUSES, SlipwayError } from '../src/domain/errors.ts';
import { decideRollback, rollbackDescription, type RollbackStep } from '../src/domain/rollback.ts';
import { changeHelmReleases } from './change-helm-releases.ts';
import type { ClusterDeps, ClusterView } from './cluster-deps.ts';
import { healHelmReleases } from './heal-helm-releases.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';

const OPERATION = 'rollback' as const;

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
          const names = services.map(({ name }) => name);
          const change = { deployment, attempt, operation: OPERATION, deadHolder, services: names };
          return changeHelmReleases(deps, change, signal, async (helmfile) => {
            const cluster = deps.cluster(deployment);
            const history = await cluster.helmHistory(names);
            const { deploymentId } = deployment;
            const steps = decideRollback({ planned: services, history, recorded, deploymentId });
            return takeSteps(cluster, helmfile, steps, deploymentId, write);
          });
        },
      ),
    );
}

/** One after the other: the same order in which a person could follow it. */
async function takeSteps(
  cluster: ClusterView,
  helmfile: Helmfile,
  steps: readonly RollbackStep[],
  deploymentId: string,
  write: (line: string) => void,
) {
  const returned: { service: string; to: number; helmRevision: number }[] = [];
  const applyAgain: { service: string; commit: string }[] = [];
  const left: string[] = [];
  for (const step of steps) {
    const { service } = step;
    if (step.do === 'leave') left.push(`${service}: ${step.because}`);
    else if (step.do === 'apply-again') applyAgain.push(step);
    else if (step.do === 'done') returned.push(step);
    else {
      const { to } = step;
      const description = rollbackDescription(deploymentId, to);
      const answer = await returnTo(cluster, helmfile, { service, to, description, write });
      if (typeof answer === 'string') left.push(answer);
      else returned.push({ service, to, helmRevision: answer });
    }
  }
  for (const line of left) write(`${line}; left as it is`);
  const takenBack = returned.map(({ service, to }) => `${service} to revision ${to}`);
  return { takenBack, returned, applyAgain, left };
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
    const mayPass = !(error instanceof SlipwayError) || CAUSES[error.code].kind === 'transient';
    if (mayPass) throw error;
    // A cluster that is away is looked at again before the next attempt.
    await healHelmReleases(cluster, [service], OPERATION).catch(() => undefined);
    return `${service} to revision ${to}: ${error.message}`;
  }
}
