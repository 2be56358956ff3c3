import { join } from 'node:path';
import { stringify } from 'yaml';
import type { GitRepository } from './git-repository.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { Platform } from './platform.ts';

export interface InstanceOptions {
  platform: Platform;
  webhookSecret: string;
  /** Where the cluster's API server is reached; another address than its own can be a faulty line. */
  kubernetesServer?: string;
  /** Clusters whose worker is started when somebody asks for it. */
  workersLater?: readonly ClusterName[];
  rollout?: { timeout?: string; soak?: string };
  retry?: { attempts?: number; backoff?: string };
  onFailure?: 'stop' | 'rollback';
  /** The workers take their tools from here; from where this process has them by default. */
  toolsFolder?: string;
}

export type ClusterName = 'local' | 'prod';

export const ENVIRONMENTS = ['cs-dev', 'wcs-dev'] as const;

/** The variables of the processes' environments, each given to the roles that read it and to no other. */
export const SECRET_VARIABLES = {
  database: 'DATABASE_URL',
  webhook: 'WEBHOOK_SECRET',
  cluster: 'KUBE_TOKEN',
  worker: 'WORKER_TOKEN',
} as const;

export interface InstancePlace {
  folder: string;
  port: number;
  url: string;
  /** By name; the first releases to the platform's cluster, the second, if there is one, to prod. */
  repositories: readonly { name: string; repository: GitRepository }[];
}

/** The slipway.yaml of an instance. Its secrets are in none of its files. */
export function instanceConfiguration(options: InstanceOptions, place: InstancePlace): string {
  const { platform } = options;
  const { prod } = platform;
  const environment = {
    variables: { CHART_REPOSITORY_URL: platform.charts.url, ALLOWED_IPS: '10.0.0.0/8' },
    rollout: { soak: '2s', ...options.rollout },
    ...(options.retry ? { retry: options.retry } : {}),
    ...(options.onFailure ? { onFailure: options.onFailure } : {}),
  };
  const [first, second] = ENVIRONMENTS;
  const local = { ...environment, cluster: 'local' };
  // A namespace belongs to one environment, whatever its cluster.
  const after = [`${place.repositories[0]?.name}/${first}`];
  const environments = prod
    ? [{ [first]: local }, { [second]: { ...environment, cluster: 'prod', tier: 'prod', after } }]
    : [{ [first]: local, [second]: { ...local, after: [first] } }];
  return stringify({
    version: 1,
    server: { url: place.url, listen: `127.0.0.1:${place.port}` },
    database: { url: { env: SECRET_VARIABLES.database } },
    temporal: { address: platform.temporal.address, namespace: platform.temporal.namespace },
    dataDir: join(place.folder, 'data'),
    clusters: {
      local: cluster(platform.kubernetes, options.kubernetesServer),
      ...(prod ? { prod: cluster(prod) } : {}),
    },
    repositories: Object.fromEntries(
      place.repositories.map(({ name, repository }, index) => [
        name,
        {
          url: repository.url,
          branch: repository.branch,
          // Its hook tells at once, and what is in it at the start is not to be released by itself.
          poll: 'off',
          forge: { type: 'github', webhookSecret: { env: SECRET_VARIABLES.webhook } },
          environments: environments[index],
        },
      ]),
    ),
  });
}

function cluster({ server, caFile }: Kubernetes, reachedAt = server) {
  return {
    server: reachedAt,
    certificateAuthority: { file: caFile },
    token: { env: SECRET_VARIABLES.cluster },
    workerToken: { env: SECRET_VARIABLES.worker },
  };
}
