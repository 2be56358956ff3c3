import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createClusterActivities } from '../../activities/cluster.ts';
import { failureInterceptor } from '../../activities/failure-interceptor.ts';
import { sweepWorkspaces } from '../adapters/helmfile/workspace.ts';
import { sweepAttempts } from '../adapters/process/sweep.ts';
import type { ClusterAccess } from '../adapters/kubernetes/access.ts';
import { openKubernetes } from '../adapters/kubernetes/client.ts';
import { findOwnPod } from '../adapters/kubernetes/pods.ts';
import { createServerClient } from '../adapters/server/client.ts';
import { Outbox } from '../adapters/server/outbox.ts';
import {
  createServerHealthSink,
  createServerLogSink,
  createServerPlanSink,
} from '../adapters/server/sinks.ts';
import {
  connectWorkers,
  createClusterWorker,
  createPresenceWorker,
  installRuntime,
} from '../adapters/temporal/workers.ts';
import { ensureTools } from '../adapters/tools/ensure-tools.ts';
import { loadConfig } from '../config/load.ts';
import { resolveSecrets, type WorkerSecrets } from '../config/secrets.ts';
import type { LogSink } from '../contract/log-sink.ts';
import { createGrowingRedactor } from '../domain/redact/growing.ts';
import { clusterAccess, createClusterDeps } from './cluster-deps.ts';
import { createLog } from './log.ts';
import { abortOnSignal } from './abort-on-signal.ts';
import { untilAborted } from './until-aborted.ts';

/** For the server to take the last lines; what it does not take is sent by the next worker. */
const LAST_MESSAGES_MS = 5_000;

export interface WorkerOptions {
  configFile: string;
  cluster: string;
  shutdownGraceTime: '10m' | '20s';
}

/** The worker of one cluster: runs until it is told to end, and lets running applies finish first. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const stop = abortOnSignal();
  const log = createLog(`worker ${options.cluster}`);
  const config = await loadConfig(options.configFile);
  const secrets = resolveSecrets(config, { role: 'worker', cluster: options.cluster });
  const access = await clusterAccess(config, options.cluster);
  // An imported kubeconfig brings credentials of its own.
  const imported = [access.token, access.clientCertificate?.key].filter((one) => one !== undefined);
  const redactor = createGrowingRedactor([...secrets.values, ...imported]);
  const { text: redact } = redactor;
  const folder = join(config.dataDir, `worker-${options.cluster}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const leftovers = await sweepAttempts({ folder: join(folder, 'attempts') });
  if (leftovers > 0) log.warn({ processes: leftovers }, 'ended what a killed worker left running');
  await sweepWorkspaces(folder);
  const { helm, helmfile } = await ensureTools(['helm', 'helmfile']);
  const outbox = await Outbox.open({
    folder: join(folder, 'outbox'),
    send: createServerClient({ url: config.server.url, token: secrets.workerToken }),
    onTrouble: (message, fields) => {
      log.warn(fields, message);
    },
  });
  const pod = await findOwnPod(process.env, apisOf(access, secrets));
  const deps = createClusterDeps({
    config,
    cluster: options.cluster,
    access,
    secrets,
    folder,
    tools: { helm, helmfile },
    ...(pod ? { pod } : {}),
    logs: redacting(createServerLogSink(outbox), redact),
    plans: createServerPlanSink(outbox),
    health: createServerHealthSink(outbox),
    redactor,
  });
  installRuntime((message, fields) => {
    log.warn(fields, redact(message));
  });
  const connection = await connectWorkers(config.temporal.address);
  const { namespace } = config.temporal;
  const setting = { connection, namespace, interceptor: failureInterceptor(redact) };
  const worker = await createClusterWorker(
    setting,
    options.cluster,
    createClusterActivities(deps),
    options.shutdownGraceTime,
  );
  const presence = await createPresenceWorker(setting, options.cluster);
  log.info('ready');
  // A signal ends each by itself, so the one may be over before the other.
  const ended = worker.runUntil(untilAborted(stop)).finally(() => {
    if (presence.getState() === 'RUNNING') presence.shutdown();
  });
  await Promise.all([presence.run(), ended]);
  await connection.close();
  await outbox.close(LAST_MESSAGES_MS);
  log.info('ended');
}

/** The cluster as each of the environments may see it. */
function apisOf(access: Omit<ClusterAccess, 'namespace'>, { environments }: WorkerSecrets) {
  const tokens = new Set([...environments.values()].map(({ token }) => token));
  return [...tokens].map((token) =>
    openKubernetes({ ...access, namespace: 'default', ...(token === undefined ? {} : { token }) }),
  );
}

/** Whatever writes to the log, no line of it holds a known secret. */
function redacting(sink: LogSink, redact: (text: string) => string): LogSink {
  return {
    append: ({ lines, ...where }) => sink.append({ ...where, lines: lines.map(redact) }),
  };
}
