import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { stringify } from 'yaml';
import { startService, type Service } from '../../../src/adapters/process/service.ts';
import {
  connectWorkers,
  createClusterWorker,
  createPresenceWorker,
  installRuntime,
} from '../../../src/adapters/temporal/workers.ts';
import { freePort } from '../../../src/main/dev/free-port.ts';
import {
  freeTemporalPorts,
  startTemporalOn,
  type Temporal,
} from '../../../src/main/dev/temporal.ts';
import type { Reaper } from '../../../src/main/dev/reaper.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createTestParts } from '../../support/part-context.ts';
import { isLong } from '../../support/size.ts';
import { until } from '../../support/until.ts';
import { clusterThat } from '../simulated-lane.ts';
import { startForge, type SimulatedForge } from './forge.ts';

export const WEBHOOK_SECRET = 'the secret of the webhooks';

/** One write to an environment. */
interface Applied {
  commit: string;
  deploymentId: string;
  attempt: number;
}

/** PostgreSQL, Temporal on a file, a forge without git, and a cluster without Kubernetes. */
export interface Rig {
  database: TestDatabase;
  forge: SimulatedForge;
  temporal: Pick<Temporal, 'address' | 'namespace'>;
  /** Kills Temporal and starts it again on its file. */
  killTemporal: (awayMs: () => Promise<unknown>) => Promise<void>;
  /** What was written to each environment, in order; environments are called like their repositories. */
  applied: Map<string, Applied[]>;
  startServers: (options: ServerOptions) => Promise<Servers>;
  stop: () => Promise<void>;
}

interface ServerOptions {
  repositories: readonly string[];
  count?: number;
  poll?: string;
  /** The share of calls to Temporal that are lost before, lost after, and made twice. */
  faults?: number;
}

export interface Servers {
  urls: readonly string[];
  /** Kills one and starts another in its place. */
  killAndStart: (index: number) => Promise<void>;
  /** How many ended by themselves, and were replaced. */
  died: () => number;
  stop: () => Promise<void>;
}

export async function startRig(): Promise<Rig> {
  installRuntime(() => undefined);
  const parts = await createTestParts();
  const ports = await freeTemporalPorts();
  let temporal = await startTemporalOn(parts.context, ports);
  const database = await createTestDatabase();
  const forge = await startForge();
  const applied: Rig['applied'] = new Map();
  const connection = await connectWorkers(temporal.address);
  const setting: Parameters<typeof createPresenceWorker>[0] = {
    connection,
    namespace: temporal.namespace,
    interceptor: { execute: (input, next) => next(input) },
  };
  const presence = await createPresenceWorker(setting, 'notprod');
  const worker = await createClusterWorker(
    setting,
    'notprod',
    clusterThat(({ deployment: { environment, commit, deploymentId }, attempt }) => {
      const before = applied.get(environment) ?? [];
      applied.set(environment, [...before, { commit, deploymentId, attempt }]);
    }),
    '20s',
  );
  const running = presence.runUntil(worker.run());
  return {
    database,
    forge,
    temporal: { address: temporal.address, namespace: temporal.namespace },
    applied,
    killTemporal: async (away) => {
      process.kill(temporal.pid, 'SIGKILL');
      await temporal.ended;
      await away();
      temporal = await startTemporalOn(parts.context, ports);
    },
    startServers: (options) =>
      startServers(options, { database, forge, temporal, reaper: parts.context.reaper }),
    stop: async () => {
      worker.shutdown();
      await running;
      await connection.close();
      await temporal.stop();
      await forge.stop();
      await database.close();
      await parts.close();
    },
  };
}

interface Neighbours {
  database: TestDatabase;
  forge: SimulatedForge;
  temporal: Temporal;
  /** Ends servers when this process is killed. */
  reaper: Reaper;
}

/** Real processes; one that ends by itself is replaced, as whoever keeps servers running does. */
async function startServers(options: ServerOptions, neighbours: Neighbours): Promise<Servers> {
  const { database, forge, temporal, reaper } = neighbours;
  const { repositories, count = 2, poll = 'off', faults = 0 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'slipway-intake-'));
  const configFile = join(folder, 'slipway.yaml');
  await writeFile(configFile, configuration({ repositories, poll, temporal, folder }));
  const ports: number[] = [];
  for (let index = 0; index < count; index += 1) ports.push(await freePort());
  const main = fileURLToPath(new URL('server-main.ts', import.meta.url));
  const start = (port: number) =>
    startService(process.execPath, [main, configFile, String(port), forge.url, String(faults)], {
      env: {
        PATH: process.env.PATH ?? '',
        HOME: folder,
        DATABASE_URL: database.url,
        WEBHOOK_SECRET,
      },
      logFile: join(folder, `${port}.log`),
    });

  const hurry = isLong() ? undefined : hurryClaims(database);
  let stopping = false;
  let died = 0;
  const current = new Map<number, Service>();
  const keep = async (port: number): Promise<void> => {
    const service = await start(port);
    current.set(port, service);
    reaper.register(service.pid, 'SIGTERM');
    void service.ended.then(async () => {
      reaper.forget(service.pid);
      if (stopping) return;
      died += 1;
      await keep(port);
    });
  };
  const urlOf = (port: number) => `http://127.0.0.1:${port}`;
  const isReady = async (port: number) =>
    (await fetch(`${urlOf(port)}/readyz`).catch(() => undefined))?.ok ?? false;
  // One after the other: only one of them would do the work of the start, the other wait for it.
  for (const port of ports) {
    await keep(port);
    await until(() => isReady(port), { timeoutMs: 120_000 });
  }
  return {
    urls: ports.map(urlOf),
    died: () => died,
    killAndStart: async (index) => {
      const port = ports[index] ?? 0;
      const service = current.get(port);
      if (!service) throw new Error(`there is no server ${index}`);
      process.kill(service.pid, 'SIGKILL');
      await service.ended;
      await until(() => isReady(port), { timeoutMs: 120_000 });
    },
    stop: async () => {
      stopping = true;
      clearInterval(hurry);
      await Promise.all([...current.values()].map((service) => service.stop(LADDER)));
      await rm(folder, { recursive: true });
    },
  };
}

const LADDER = { groupTermMs: 10_000, groupKillMs: 15_000 };

/**
 * Halves the half minute after which others take the rows of a process that ended. One that lives
 * renews its claims every ten seconds.
 */
function hurryClaims({ db }: TestDatabase): NodeJS.Timeout {
  return setInterval(() => {
    void db
      .updateTable('inbox')
      .set({ claimed_until: sql<Date>`now() - interval '1 second'` })
      .where('claimed_until', '<', sql<Date>`now() + interval '15 seconds'`)
      .execute()
      .catch(() => undefined);
  }, 1_000);
}

function configuration(options: {
  repositories: readonly string[];
  poll: string;
  temporal: Temporal;
  folder: string;
}): string {
  const { repositories, poll, temporal, folder } = options;
  return stringify({
    version: 1,
    server: { url: 'https://slipway.example.org' },
    database: { url: { env: 'DATABASE_URL' } },
    temporal: { address: temporal.address, namespace: temporal.namespace },
    dataDir: folder,
    clusters: {
      notprod: { server: 'https://kube.example.org', token: { env: 'KUBE_TOKEN' } },
    },
    repositories: Object.fromEntries(
      repositories.map((name) => [
        name,
        {
          url: forgeAddress(name),
          poll,
          forge: { type: 'github', webhookSecret: { env: 'WEBHOOK_SECRET' } },
          environments: {
            [name]: { cluster: 'notprod', retry: { backoff: '1s' }, rollout: { soak: '1s' } },
          },
        },
      ]),
    ),
  });
}

/** Where the repository is in the configuration and in events; nobody reads it there. */
export function forgeAddress(repository: string): string {
  return `https://forge.example.org/slipway/${repository}.git`;
}
