import type { ClusterActivities, PlanResult } from '../src/contract/workflow/activities.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import type { Helmfile, ListedRelease } from '../src/adapters/helmfile/helmfile.ts';
import { SlipwayError } from '../src/domain/errors.ts';
import type { PlannedService } from '../src/domain/services.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';

/** Reads what the commit declares for the environment: every service, with the chart it resolves to. */
export function createPlan(deps: ClusterDeps): ClusterActivities['plan'] {
  return ({ deployment }) =>
    beating((signal) =>
      logging(
        deps.logs,
        { deploymentId: deployment.deploymentId, attempt: 0, step: 'plan' },
        async (write) => {
          await deps.cluster(deployment).checkNamespace();
          const plan = await deps.withHelmfile(deployment, 0, signal, async (helmfile) => {
            await helmfile.repos();
            return readPlan(deps, deployment, helmfile);
          });
          for (const service of plan.services) {
            write(`${service.name}: ${service.chart} ${service.chartVersion ?? ''}`.trimEnd());
          }
          return plan;
        },
      ),
    );
}

/** What the commit declares now, with the indexes of the chart repositories as they are. */
export async function readPlan(
  deps: ClusterDeps,
  deployment: DeploymentRef,
  helmfile: Helmfile,
): Promise<PlanResult> {
  const listed = (await helmfile.list()).filter(({ enabled, installed }) => enabled && installed);
  const services: PlannedService[] = [];
  for (const release of listed) {
    checkNamespace(release, deployment);
    const { name, chart, version } = release;
    const chartVersion = isRepositoryChart(chart)
      ? await helmfile.resolveChart(chart, version)
      : undefined;
    if (isRepositoryChart(chart) && chartVersion === undefined) {
      throw new SlipwayError(
        'chart-unresolved',
        `No version of the chart ${chart} for ${name} matches "${version}".`,
      );
    }
    services.push({ name, chart, ...(chartVersion === undefined ? {} : { chartVersion }) });
  }
  const digest = deps.digest(deployment, [await helmfile.build(), JSON.stringify(services)]);
  return { digest, services };
}

/** `<repository alias>/<chart>`; paths and registries are resolved by helm itself. */
function isRepositoryChart(chart: string): boolean {
  return /^[A-Za-z0-9_-]+\/[A-Za-z0-9._-]+$/.test(chart);
}

function checkNamespace(release: ListedRelease, { environment, namespace }: DeploymentRef): void {
  if (release.namespace === '' || release.namespace === namespace) return;
  throw new SlipwayError(
    'repository-refused',
    `${release.name} goes to namespace "${release.namespace}", but ${environment} is namespace ` +
      `"${namespace}": an environment releases into its own namespace only.`,
  );
}
