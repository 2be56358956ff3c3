import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startService, type Service } from '../../adapters/process/service.ts';
import { migrateToLatest } from '../../adapters/postgres/migrate.ts';
import { createToken } from '../database.ts';
import { ApiClient } from './api-client.ts';
import { freePort } from './free-port.ts';
import type { GitRepository } from './git-repository.ts';
import { logTail } from './part.ts';
import type { Platform } from './platform.ts';
import { waitUntil } from './wait-until.ts';

export interface Instance {
  url: string;
  token: string;
  api: ApiClient;
  repository: GitRepository;
  webhookUrl: string;
  webhookSecret: string;
  configFile: string;
  server: Service;
  /** The worker that runs now. */
  worker: () => Service;
  /** Starts another worker, after the one before has ended. */
  startWorker: () => Promise<Service>;
  stop: () => Promise<void>;
}

export interface InstanceOptions {
  platform: Platform;
  webhookSecret: string;
  /** Where the cluster's API server is reached; another address than its own can be a faulty line. */
  kubernetesServer?: string;
  rollout?: { timeout?: string; soak?: string };
  retry?: { attempts?: number; backoff?: string };
  onFailure?: 'stop' | 'rollback';
}

const REPOSITORY = 'deployments';
export const ENVIRONMENTS = ['cs-dev', 'wcs-dev'] as const;

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const TEMPLATE = fileURLToPath(
  new URL('../../../templates/deployment-repository', import.meta.url),
);
// Longer than the worker's grace and its own kill ladder: it must end its helm before it ends.
const LADDER = { groupTermMs: 45_000, groupKillMs: 50_000 };

/** Starts Slipway itself on a platform, as processes of its own: the server, and one cluster's worker. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { platform, webhookSecret } = options;
  const folder = join(platform.dataDir, 'slipway');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const repository = await platform.git.createRepository(REPOSITORY, TEMPLATE);
  const configFile = join(folder, 'slipway.yaml');
  await writeFile(configFile, await configuration(options, { folder, port, url, repository }));
  await migrateToLatest(platform.postgres.url);
  const token = await createToken(platform.postgres.url, 'slipway dev');
  const start = (name: string, args: string[]) =>
    startService(process.execPath, [CLI, ...args, '--config', configFile], {
      env: childEnvironment(platform),
      logFile: join(platform.dataDir, 'logs', `${name}.log`),
    });

  const server = await start('server', ['serve']);
  const startWorker = () =>
    start('worker', ['worker', '--cluster', 'local', '--shutdown-grace', '20s']);
  let worker = await startWorker();
  const stop = async () => {
    await Promise.all([worker.stop(LADDER), server.stop(LADDER)]);
  };
  const api = new ApiClient(url, token);
  try {
    await waitUntil('starting the server', () => api.isReady(), {
      timeoutMs: 60_000,
      intervalMs: 100,
    });
  } catch (error) {
    await stop();
    const log = logTail(join(platform.dataDir, 'logs', 'server.log'));
    throw new Error(`the server did not start:\n${log}`, { cause: error });
  }
  const webhookUrl = `${url}/webhooks/github/${REPOSITORY}`;
  await repository.notify({ url: webhookUrl, secret: webhookSecret });
  return {
    ...{ url, token, api, repository, webhookUrl, webhookSecret, configFile, server, stop },
    worker: () => worker,
    startWorker: async () => {
      await worker.ended;
      worker = await startWorker();
      return worker;
    },
  };
}

interface Place {
  folder: string;
  port: number;
  url: string;
  repository: GitRepository;
}

/** The slipway.yaml of the instance; its secrets lie in files beside it. */
async function configuration(options: InstanceOptions, place: Place): Promise<string> {
  const { platform } = options;
  const secret = async (name: string, value: string) => {
    const file = join(place.folder, name);
    await writeFile(file, value, { mode: 0o600 });
    return { file };
  };
  const environment = {
    cluster: 'local',
    variables: { CHART_REPOSITORY_URL: platform.charts.url, ALLOWED_IPS: '10.0.0.0/8' },
    rollout: { soak: '2s', ...options.rollout },
    ...(options.retry ? { retry: options.retry } : {}),
    ...(options.onFailure ? { onFailure: options.onFailure } : {}),
  };
  const [first, second] = ENVIRONMENTS;
  return stringify({
    version: 1,
    server: { url: place.url, listen: `127.0.0.1:${place.port}` },
    database: { url: await secret('database-url', platform.postgres.url) },
    temporal: { address: platform.temporal.address, namespace: platform.temporal.namespace },
    dataDir: join(place.folder, 'data'),
    clusters: {
      local: {
        server: options.kubernetesServer ?? platform.kubernetes.server,
        certificateAuthority: { file: platform.kubernetes.caFile },
        token: await secret('cluster-token', platform.kubernetes.token),
      },
    },
    repositories: {
      [REPOSITORY]: {
        url: place.repository.url,
        branch: place.repository.branch,
        forge: {
          type: 'github',
          webhookSecret: await secret('webhook-secret', options.webhookSecret),
        },
        environments: { [first]: environment, [second]: { ...environment, after: [first] } },
      },
    },
  });
}

/** What Slipway's own processes need: their programs and the cache of tools. */
function childEnvironment(platform: Platform): Record<string, string> {
  const passed = ['PATH', 'HOME', 'XDG_CACHE_HOME', 'SLIPWAY_TOOLS_DIR'];
  const found = passed.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(found), ...platform.mark, LANG: 'C.UTF-8', TZ: 'UTC' };
}
