import { join } from 'node:path';
import { run } from '../../adapters/process/run.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/workflow/search-attributes.ts';
import { freePort, isListening } from './free-port.ts';
import { startPart, twice, type PlatformContext } from './part.ts';

export interface Temporal {
  address: string;
  namespace: string;
  uiUrl: string;
  pid: number;
  /** Resolves when the process has ended, whatever ended it. */
  ended: Promise<unknown>;
  stop(): Promise<void>;
}

interface TemporalPorts {
  port: number;
  uiPort: number;
  httpPort: number;
  metricsPort: number;
}

const TEMPORAL_NAMESPACE = 'slipway';

/** Write-ahead log and fewer syncs: ten times as many activities a second as by default. */
const SQLITE_PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'];

/** Priorities order a task queue strictly only while it has one partition. */
const DYNAMIC_CONFIG = [
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
];

const LADDER = { groupTermMs: 3_000, groupKillMs: 5_000 };

/** Starts Temporal's development server on a file, with its web UI, on loopback. */
export async function startTemporal(context: PlatformContext): Promise<Temporal> {
  return await twice(async () => startTemporalOn(context, await freeTemporalPorts()));
}

export async function freeTemporalPorts(): Promise<TemporalPorts> {
  const [port, uiPort, httpPort, metricsPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  return { port, uiPort, httpPort, metricsPort };
}

/** The same on given ports: one that was killed goes on from its file, where its clients look for it. */
export async function startTemporalOn(
  context: PlatformContext,
  { port, uiPort, httpPort, metricsPort }: TemporalPorts,
): Promise<Temporal> {
  const address = `127.0.0.1:${port}`;
  const service = await startPart(context, {
    name: 'Temporal',
    file: context.tools.temporal,
    args: [
      ...['server', 'start-dev', '--log-level', 'warn', '--ip', '127.0.0.1'],
      ...['--port', String(port), '--ui-port', String(uiPort)],
      ...['--http-port', String(httpPort), '--metrics-port', String(metricsPort)],
      ...['--db-filename', join(context.folder, 'temporal.db'), '--namespace', TEMPORAL_NAMESPACE],
      ...SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
      ...DYNAMIC_CONFIG.flatMap((value) => ['--dynamic-config-value', value]),
      ...Object.values(SEARCH_ATTRIBUTES).flatMap((name) => [
        '--search-attribute',
        `${name}=Keyword`,
      ]),
      '--ui-disable-news-fetch',
    ],
    logFile: join(context.folder, 'logs', 'temporal.log'),
    isReady: async () => (await isListening(port)) && (await hasNamespace(context, address)),
    timeoutMs: 60_000,
    ladder: LADDER,
  });
  return {
    address,
    namespace: TEMPORAL_NAMESPACE,
    uiUrl: `http://127.0.0.1:${uiPort}`,
    pid: service.pid,
    ended: service.ended,
    stop: () => service.stop(),
  };
}

async function hasNamespace(context: PlatformContext, address: string): Promise<boolean> {
  const args = ['operator', 'namespace', 'describe', '-n', TEMPORAL_NAMESPACE];
  const answer = await run(context.tools.temporal, [...args, '--address', address], {
    env: context.env,
    timeoutMs: 10_000,
  });
  return answer.exitCode === 0;
}
