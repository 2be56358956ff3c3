import { performance } from 'node:perf_hooks';
import { STAMP } from '../src/contract/stamp.ts';
import type { Helmfile } from '../src/adapters/helmfile/helmfile.ts';
import type { HelmRelease } from '../src/adapters/kubernetes/helm-releases.ts';
import type { ClusterActivities, PlanResult } from '../src/contract/workflow/activities.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import { SlipwayError } from '../src/domain/errors.ts';
import type { PlannedService } from '../src/domain/services.ts';
import type { ApplyEnds } from './apply-ends.ts';
import { changeHelmReleases } from './change-helm-releases.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { environmentDigest, readDeclared } from './declared-services.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';

/**
 * Runs helmfile on the commit, once: the inputs are read again first, and the apply goes on only if
 * they are those of the plan. Cancelling ends the whole process tree before the call returns.
 */
export function createApply(deps: ClusterDeps, ends: ApplyEnds): ClusterActivities['apply'] {
  return ({ deployment, attempt, plan, deadHolder }) =>
    beating((signal) =>
      logging(
        deps.logs,
        { deploymentId: deployment.deploymentId, attempt, step: 'apply' },
        (write) => {
          const services = plan.services.map(({ name }) => name);
          const operation = 'apply' as const;
          const change = { deployment, attempt, operation, deadHolder, services };
          return changeHelmReleases(deps, change, signal, async (helmfile) => {
            const started = performance.now();
            const [helmReleases] = await Promise.all([
              deps.cluster(deployment).helmReleases(),
              checkDigest(deps, deployment, helmfile, plan),
            ]);
            await applyPlan(helmfile, plan, helmReleases, {
              labels: {
                [STAMP.deployment]: deployment.deploymentId,
                [STAMP.attempt]: `${attempt}`,
              },
              description: `slipway ${deployment.deploymentId}/${attempt} ${deployment.commit}`,
              onLine: write,
            });
            return { durationMs: Math.round(performance.now() - started) };
          }).finally(() => {
            ends.tell(deployment.deploymentId, attempt);
          });
        },
      ),
    );
}

/** What a person approved, or the plan said, is applied or nothing. */
async function checkDigest(
  deps: ClusterDeps,
  deployment: DeploymentRef,
  helmfile: Helmfile,
  plan: PlanResult,
): Promise<void> {
  const declared = await readDeclared(deps, deployment, helmfile);
  const digest = environmentDigest(deps, deployment, declared, new Set(plan.unstable));
  if (digest === plan.digest) return;
  throw new SlipwayError(
    'plan-changed',
    'The inputs changed between plan and apply, such as a chart that moved.',
  );
}

async function applyPlan(
  helmfile: Helmfile,
  plan: PlanResult,
  existing: readonly HelmRelease[],
  how: {
    labels: Readonly<Record<string, string>>;
    description: string;
    onLine: (line: string) => void;
  },
): Promise<void> {
  const names = plan.services.filter((service) => !isOrphan(service)).map(({ name }) => name);
  const changed = existing.filter(({ service }) => names.includes(service));
  if (names.length > 0) {
    const serverSide = changed.some((release) => release.serverSide);
    await helmfile.sync({ ...how, names, serverSide });
  }
  for (const { name } of plan.services.filter(isOrphan)) {
    await helmfile.uninstall(name, how.onLine);
  }
}

/** What the commit does not declare has no chart in the plan. */
function isOrphan({ action, chart }: PlannedService): boolean {
  return action === 'uninstall' && chart === '';
}
