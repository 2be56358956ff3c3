import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { startService, type Service } from '../../adapters/process/service.ts';
import { migrateToLatest } from '../../adapters/postgres/migrate.ts';
import { createToken } from '../database.ts';
import { ApiClient } from './api-client.ts';
import { freePort } from './free-port.ts';
import type { GitRepository } from './git-repository.ts';
import {
  instanceConfiguration,
  SECRET_VARIABLES,
  type ClusterName,
  type InstanceOptions,
} from './instance-config.ts';
import type { Kubernetes } from './kubernetes.ts';
import { logTail } from './part.ts';
import { waitUntil } from './wait-until.ts';

export { ENVIRONMENTS } from './instance-config.ts';

export interface Instance {
  url: string;
  token: string;
  api: ApiClient;
  repository: GitRepository;
  /** The repository of the prod cluster, where there is one. */
  prodRepository?: GitRepository;
  webhookUrl: string;
  webhookSecret: string;
  configFile: string;
  /** The server that runs now. */
  server: () => Service;
  /** Starts another server, after the one before has ended; returns when it answers. */
  startServer: () => Promise<Service>;
  /** The worker of a cluster that runs now; of the platform's own cluster by default. */
  worker: (cluster?: ClusterName) => Service;
  /** Starts another worker, after the one before has ended. */
  startWorker: (cluster?: ClusterName) => Promise<Service>;
  stop: () => Promise<void>;
}

const REPOSITORY = 'deployments';
const PROD_REPOSITORY = 'deployments-prod';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const TEMPLATE = fileURLToPath(
  new URL('../../../templates/deployment-repository', import.meta.url),
);
// Longer than the worker's grace and its own kill ladder: it must end its helm before it ends.
const LADDER = { groupTermMs: 45_000, groupKillMs: 50_000 };

/**
 * Starts Slipway itself on a platform, as processes of their own: the server, and a worker for each
 * cluster. Each finds in its environment the secrets of its role, and no others.
 */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { platform, webhookSecret, workersLater = [] } = options;
  const { prod } = platform;
  const folder = join(platform.dataDir, 'slipway');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const names = prod ? [REPOSITORY, PROD_REPOSITORY] : [REPOSITORY];
  const repositories = await Promise.all(
    names.map(async (name) => ({
      name,
      repository: await platform.git.createRepository(name, TEMPLATE),
    })),
  );
  const [repository, prodRepository] = repositories.map((one) => one.repository);
  if (!repository) throw new Error('an instance needs a repository');
  const configFile = join(folder, 'slipway.yaml');
  const place = { folder, port, url, repositories };
  await writeFile(configFile, instanceConfiguration(options, place));
  await migrateToLatest(platform.postgres.url);
  const token = await createToken(platform.postgres.url, { name: 'slipway dev' });
  const api = new ApiClient(url, token);

  const start = (name: string, args: string[], secrets: Record<string, string>) =>
    startService(process.execPath, [CLI, ...args, '--config', configFile], {
      env: { ...childEnvironment(options), ...secrets },
      logFile: join(platform.dataDir, 'logs', `${name}.log`),
    });
  const startWorkerOf = async (cluster: ClusterName, kubernetes: Kubernetes) => {
    const owner = { name: `worker of ${cluster}`, cluster };
    const secrets = {
      [SECRET_VARIABLES.cluster]: kubernetes.token,
      [SECRET_VARIABLES.worker]: await createToken(platform.postgres.url, owner),
    };
    const args = ['worker', '--cluster', cluster, '--shutdown-grace', '20s'];
    const name = cluster === 'local' ? 'worker' : `worker-${cluster}`;
    const later = workersLater.includes(cluster);
    return keepStarting(() => start(name, args, secrets), { later });
  };
  const workers = {
    local: await startWorkerOf('local', platform.kubernetes),
    ...(prod ? { prod: await startWorkerOf('prod', prod) } : {}),
  };
  const workersNow = () => Object.values(workers).flatMap((one) => one.running() ?? []);
  const server = await keepStarting(async () => {
    const running = await start('server', ['serve'], {
      [SECRET_VARIABLES.database]: platform.postgres.url,
      [SECRET_VARIABLES.webhook]: webhookSecret,
    });
    try {
      await waitUntil('starting the server', () => api.isReady(), {
        timeoutMs: 60_000,
        intervalMs: 100,
      });
    } catch (error) {
      await Promise.all([running, ...workersNow()].map((one) => one.stop(LADDER)));
      const log = logTail(join(platform.dataDir, 'logs', 'server.log'));
      throw new Error(`the server did not start:\n${log}`, { cause: error });
    }
    return running;
  });
  const workerOf = (cluster: ClusterName = 'local') => {
    const found = workers[cluster];
    if (!found) throw new Error(`there is no worker of ${cluster}`);
    return found;
  };
  const webhook = (name: string) => `${url}/webhooks/github/${name}`;
  await Promise.all(
    repositories.map((one) =>
      one.repository.notify({ url: webhook(one.name), secret: webhookSecret }),
    ),
  );
  return {
    ...{ url, token, api, repository, webhookUrl: webhook(REPOSITORY), webhookSecret, configFile },
    ...(prodRepository ? { prodRepository } : {}),
    server: server.current,
    startServer: server.startAgain,
    worker: (cluster) => workerOf(cluster).current(),
    startWorker: (cluster) => workerOf(cluster).startAgain(),
    stop: async () => {
      const all = [server.current(), ...workersNow()];
      await Promise.all(all.map((one) => one.stop(LADDER)));
    },
  };
}

/** A process that can be started once more, after the one before has ended; the first one perhaps later. */
async function keepStarting(start: () => Promise<Service>, { later = false } = {}) {
  let running = later ? undefined : await start();
  return {
    running: () => running,
    current: () => {
      if (!running) throw new Error('it was not started yet');
      return running;
    },
    startAgain: async () => {
      await running?.ended;
      running = await start();
      return running;
    },
  };
}

/** What Slipway's own processes need: their programs and the cache of tools. */
function childEnvironment({ platform, toolsFolder }: InstanceOptions): Record<string, string> {
  const passed = ['PATH', 'HOME', 'XDG_CACHE_HOME', 'SLIPWAY_TOOLS_DIR'];
  const found = passed.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const tools = toolsFolder === undefined ? {} : { SLIPWAY_TOOLS_DIR: toolsFolder };
  return { ...Object.fromEntries(found), ...tools, ...platform.mark, LANG: 'C.UTF-8', TZ: 'UTC' };
}
