import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startChartRepository, type ChartRepository } from './chart-repository.ts';
import { claimFolder } from './claim-folder.ts';
import { startGitServer, type GitServer } from './git-server.ts';
import { startKubernetes, type Kubernetes } from './kubernetes.ts';
import { PLATFORM_VARIABLE } from './platform-processes.ts';
import type { PlatformContext, PlatformTools } from './part.ts';
import { startPostgres, type Postgres } from './postgres.ts';
import { startReaper } from './reaper.ts';
import { startTemporal, type Temporal } from './temporal.ts';

export interface PlatformOptions {
  /** Everything the platform writes; emptied at the start. One platform for one folder at a time. */
  dataDir: string;
  tools: PlatformTools;
  /** Namespaces to make in the cluster. */
  namespaces: readonly string[];
  /** A second control plane plays the prod cluster; it has the same namespaces. */
  prod?: boolean;
  onProgress?: (line: string) => void;
}

export interface Platform {
  id: string;
  dataDir: string;
  postgres: Postgres;
  temporal: Temporal;
  kubernetes: Kubernetes;
  prod?: Kubernetes;
  git: GitServer;
  charts: ChartRepository;
  /** Put this into the environment of further processes, and they end with the platform. */
  mark: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/**
 * Starts all that Slipway needs around it, on free ports of loopback: PostgreSQL, Temporal, a
 * Kubernetes cluster, a git server and a chart repository. When this process ends, in whatever way,
 * all of it ends.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const folder = resolve(options.dataDir);
  await claimFolder(folder);
  await mkdir(join(folder, 'logs'), { mode: 0o700 });
  const id = randomBytes(8).toString('hex');
  const mark = { [PLATFORM_VARIABLE]: id };
  const context: PlatformContext = {
    id,
    folder,
    env: {
      ...mark,
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: folder,
      LANG: 'C.UTF-8',
      TZ: 'UTC',
    },
    tools: options.tools,
    reaper: await startReaper(id, folder),
  };
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.allSettled(started.map((part) => part.stop()));
    await context.reaper.close();
  };
  const part = async <T extends { stop(): Promise<void> }>(
    name: string,
    start: (context: PlatformContext) => Promise<T>,
  ): Promise<T> => {
    const from = performance.now();
    const running = await start(context);
    started.push(running);
    options.onProgress?.(`${name} is up (${((performance.now() - from) / 1_000).toFixed(1)} s)`);
    return running;
  };
  const parts = await settle([
    part('Kubernetes', startKubernetes),
    part('PostgreSQL', startPostgres),
    part('Temporal', startTemporal),
    part('The chart repository', startChartRepository),
    part('The git server', startGitServer),
  ] as const).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const [kubernetes, postgres, temporal, charts, git] = parts;
  try {
    await kubernetes.createNamespaces(options.namespaces);
    // One control plane after the other: two that start at once take each other's ports.
    const prod = options.prod ? await part('The prod cluster', startProd) : undefined;
    await prod?.createNamespaces(options.namespaces);
    const around = { postgres, temporal, kubernetes, git, charts, ...(prod ? { prod } : {}) };
    return { id, dataDir: folder, ...around, mark, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startProd(context: PlatformContext): Promise<Kubernetes> {
  const folder = join(context.folder, 'prod');
  await mkdir(join(folder, 'logs'), { recursive: true, mode: 0o700 });
  return startKubernetes({ ...context, folder });
}

/** Waits for all, also after one has failed, so that nothing starts behind the back of a stop. */
async function settle<T extends readonly Promise<unknown>[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}
