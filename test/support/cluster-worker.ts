import { createClusterActivities } from '../../activities/cluster.ts';
import { loadConfig } from '../../src/config/load.ts';
import { resolveSecrets } from '../../src/config/secrets.ts';
import type { ClusterActivities } from '../../src/contract/workflow/activities.ts';
import type { HealthRecord } from '../../src/contract/health-sink.ts';
import type { PlanDiffRecord } from '../../src/contract/plan-sink.ts';
import { createGrowingRedactor } from '../../src/domain/redact/growing.ts';
import { clusterAccess, createClusterDeps } from '../../src/main/cluster-deps.ts';

export interface ClusterWorker {
  activities: ClusterActivities;
  /** What the activities told, which a worker would send to the server. */
  log: string[];
  health: HealthRecord[];
  diffs: PlanDiffRecord[];
}

/** The activities of a cluster's worker, without Temporal and without a server. */
export async function createClusterWorker({
  configFile,
  folder,
  tools,
}: {
  configFile: string;
  folder: string;
  tools: { helm: string; helmfile: string };
}): Promise<ClusterWorker> {
  const config = await loadConfig(configFile);
  const role = { role: 'worker', cluster: 'local' } as const;
  const secrets = resolveSecrets(config, role, { WORKER_TOKEN: 'slp_of-nobody' });
  const log: string[] = [];
  const health: HealthRecord[] = [];
  const diffs: PlanDiffRecord[] = [];
  const deps = createClusterDeps({
    config,
    cluster: 'local',
    access: await clusterAccess(config, 'local'),
    secrets,
    folder,
    tools,
    logs: {
      append: ({ lines }) => {
        log.push(...lines);
        return Promise.resolve();
      },
    },
    plans: {
      store: (record) => {
        diffs.push(record);
        return Promise.resolve();
      },
    },
    health: {
      store: (record) => {
        health.push(record);
        return Promise.resolve();
      },
    },
    redactor: createGrowingRedactor(secrets.values),
  });
  return { activities: createClusterActivities(deps), log, health, diffs };
}
