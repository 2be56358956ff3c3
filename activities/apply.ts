import { performance } from 'node:perf_hooks';
import { STAMP } from '../src/contract/stamp.ts';
import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { SlipwayError } from '../src/domain/errors.ts';
import { formatHolder } from '../src/domain/lease.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';
import { readPlan } from './plan.ts';

/**
 * Runs helmfile on the commit, once: the inputs are read again first, and the apply goes on only if
 * they are those of the plan. Cancelling ends the whole process tree before the call returns.
 */
export function createApply(deps: ClusterDeps): ClusterActivities['apply'] {
  const holder = ({ deploymentId }: DeploymentRef, attempt: number) =>
    formatHolder({ deploymentId, attempt, operation: 'apply', process: deps.processes.me });
  return ({ deployment, attempt, plan, deadHolder }) =>
    beating((signal) =>
      logging(
        deps.logs,
        { deploymentId: deployment.deploymentId, attempt, step: 'apply' },
        (write) =>
          deps
            .cluster(deployment)
            .lease.hold(holder(deployment, attempt), deadHolder, signal, (held) =>
              deps.withHelmfile(deployment, attempt, held, async (helmfile) => {
                const started = performance.now();
                const now = await readPlan(deps, deployment, helmfile);
                if (now.digest !== plan.digest) {
                  throw new SlipwayError(
                    'plan-changed',
                    'The inputs changed between plan and apply, such as a chart that moved.',
                  );
                }
                const existing = await deps.cluster(deployment).helmReleases();
                await helmfile.sync({
                  labels: {
                    [STAMP.deployment]: deployment.deploymentId,
                    [STAMP.attempt]: `${attempt}`,
                  },
                  description: `slipway ${deployment.deploymentId}/${attempt} ${deployment.commit}`,
                  serverSide: existing.some(({ serverSide }) => serverSide),
                  onLine: write,
                });
                return { durationMs: Math.round(performance.now() - started) };
              }),
            ),
      ),
    );
}
