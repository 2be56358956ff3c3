import { readDependencies, type DependencyDeps } from '../../activities/read-dependencies.ts';
import type { GateDeps } from '../../activities/read-gates.ts';
import type { ServiceDeps } from '../../activities/service.ts';
import type { Store } from '../adapters/postgres/store.ts';
import type { EnvironmentConfig } from '../config/config.ts';
import type { LaneKey } from '../contract/workflow/ids.ts';

type Settings = Pick<EnvironmentConfig, 'waitsFor' | 'versionKeys'>;

interface OrderParts {
  /** The environments of each repository. */
  repositories: ReadonlyMap<string, { environments: ReadonlyMap<string, Settings> }>;
  store: Pick<Store, 'gates' | 'logs'>;
  versions: DependencyDeps['versions'];
  /** Tells deployments that wait in these lanes to look at their gates again. */
  wake: (lanes: readonly LaneKey[]) => Promise<void>;
}

/** The order between environments, as the activities of the service ask for it. */
export function createOrder({
  repositories,
  store,
  versions,
  wake,
}: OrderParts): Pick<GateDeps, 'dependencies' | 'note'> & Pick<ServiceDeps, 'wakeFollowers'> {
  const settings = ({ repository, environment }: { repository: string; environment: string }) =>
    repositories.get(repository)?.environments.get(environment);
  const deps: DependencyDeps = {
    waitsFor: (place) => settings(place)?.waitsFor ?? [],
    versionKeys: (place) => settings(place)?.versionKeys ?? new Map(),
    versions,
    deployment: store.gates.deployment,
    past: store.gates.past,
    degraded: store.gates.degraded,
  };
  const all = [...repositories].flatMap(([repository, { environments }]) =>
    [...environments].map(([environment, { waitsFor }]) => ({ repository, environment, waitsFor })),
  );
  return {
    dependencies: (at, signal) => readDependencies(deps, at, signal),
    note: ({ deploymentId, lines }) =>
      store.logs.append({
        ...{ deploymentId, attempt: 1, step: 'plan', at: new Date().toISOString() },
        // The same stream each time: what was said is not said again.
        ...{ stream: `${deploymentId}-order`, first: 0, lines: lines.map(toLogLine) },
      }),
    wakeFollowers: async ({ deploymentId, environment }) => {
      const mayFollow = all.filter(({ waitsFor }) =>
        waitsFor.some((one) => one.environment === environment),
      );
      if (mayFollow.length === 0) return;
      const ended = await store.gates.deployment(deploymentId);
      const followers = mayFollow.filter(({ waitsFor }) =>
        waitsFor.some(
          (one) => one.repository === ended?.repository && one.environment === environment,
        ),
      );
      for (const { repository, environment: name } of followers) {
        const scope = { repository, environment: name, reason: 'dependency' as const };
        await wake(await store.gates.waitingLanes(scope));
      }
    },
  };
}

function toLogLine(text: string): string {
  return `[slipway] ${text}`;
}
