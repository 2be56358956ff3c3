import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { failureInterceptor } from '../../activities/failure-interceptor.ts';
import { createServiceActivities } from '../../activities/service.ts';
import type { Mirror } from '../adapters/git/mirror.ts';
import { openDatabase } from '../adapters/postgres/database.ts';
import type { DriftWatch } from '../adapters/temporal/drift.ts';
import { listenForInbox } from '../adapters/postgres/notifications.ts';
import { createStore } from '../adapters/postgres/store.ts';
import { Orchestrator } from '../adapters/temporal/orchestrator.ts';
import type { Poll } from '../adapters/temporal/polls.ts';
import {
  connectWorkers,
  createServiceWorker,
  installRuntime,
} from '../adapters/temporal/workers.ts';
import type { Config, EnvironmentConfig } from '../config/config.ts';
import { freezesInForce } from '../config/freeze-calendar.ts';
import { loadConfig } from '../config/load.ts';
import { resolveSecrets, type ServerSecrets } from '../config/secrets.ts';
import { SlipwayError } from '../domain/errors.ts';
import { createRedactor } from '../domain/redact.ts';
import { createApp } from '../http/app.ts';
import type { ServedRepository } from '../http/dependencies.ts';
import { abortOnSignal } from './abort-on-signal.ts';
import { keepReleasesRunning } from './resume-releases.ts';
import { keepPolls } from './keep-polls.ts';
import { createLog } from './log.ts';
import { createMirrors } from './mirrors.ts';
import { createOrder } from './order.ts';
import { createRelay } from './relay.ts';
import { sweepInbox } from './sweep-inbox.ts';
import { untilAborted } from './until-aborted.ts';
import { createVersionsAt } from './versions-at.ts';
import { watchWorkers } from './watch-workers.ts';

/** The server: HTTP, the relay, and the worker of the service's queue. Runs until it is told to end. */
export async function runServer({ configFile }: { configFile: string }): Promise<void> {
  const log = createLog('server');
  const stop = abortOnSignal();
  const config = await loadConfig(configFile);
  const secrets = resolveSecrets(config, { role: 'server' });
  const folder = join(config.dataDir, 'server');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const mirror = createMirrors(config, secrets.forgeTokens, folder);
  await serve({
    config,
    secrets,
    mirror,
    versionsAt: await createVersionsAt(mirror, folder),
    orchestrator: new Orchestrator(config.temporal),
    log,
    stop,
  });
}

interface ServerParts {
  config: Config;
  secrets: ServerSecrets;
  mirror: (repository: string) => Mirror;
  versionsAt: Awaited<ReturnType<typeof createVersionsAt>>;
  orchestrator: Orchestrator;
  log: Logger;
  stop: AbortSignal;
}

/** The same from its parts; closes what it opens, and the orchestrator. */
export async function serve(parts: ServerParts): Promise<void> {
  const { config, secrets, mirror, versionsAt, orchestrator, log, stop } = parts;
  const { text: redact } = createRedactor(secrets.values);
  const database = openDatabase({
    url: secrets.databaseUrl,
    onConnectionLost: (reason) => {
      log.warn({ reason }, 'lost a connection to PostgreSQL');
    },
  });
  const store = createStore(database.db);
  const environments = [...config.repositories.values()].flatMap((one) => [
    ...one.environments.values(),
  ]);
  const repositories = servedRepositories(config, secrets);
  const app = await createApp({
    store,
    repositories: () => repositories,
    git: {
      head: (repository) => mirror(repository).head(),
      resolve: (repository, commit) => resolveCommit(mirror(repository), commit),
    },
    orchestrator: {
      cancelRelease: async ({ repository, commit, run, ...asked }) =>
        (await orchestrator.cancelRelease({ repository, commit, run }, asked))
          ? 'cancelling'
          : 'not-running',
      gatesChanged: (lanes) => orchestrator.gatesChanged(lanes),
      lookForDrift: (environment) => orchestrator.lookForDrift(environment),
    },
    checks: { database: database.check, temporal: () => orchestrator.check() },
    logger: log,
  });
  const closing: (() => Promise<unknown>)[] = [database.close, () => orchestrator.close()];
  try {
    await store.environments.sync(environments);
    await app.listen(config.server.listen);
    closing.push(() => app.close());
    log.info(config.server.listen, 'listening');
    const relay = createRelay({
      inbox: store.inbox,
      releases: store.releases,
      heads: async (repository) => ({ commit: await mirror(repository).head() }),
      holds: (repository, head, commit) => mirror(repository).isAncestor(commit, head),
      startRelease: (input) => orchestrator.startRelease(input),
      listen: (onNotify) => listenForInbox({ url: secrets.databaseUrl, onNotify }),
      log,
    });
    closing.push(relay.stop);
    const { keepDays } = config.server.inbox;
    closing.push(sweepInbox({ inbox: store.inboxEntries, keepDays, log }).stop);

    const { dependencies, note, wakeFollowers } = createOrder({
      ...{ repositories: config.repositories, store, versions: versionsAt },
      wake: (lanes) => orchestrator.gatesChanged(lanes),
    });
    const activities = createServiceActivities({
      environments: (name) => [...(config.repositories.get(name)?.environments.values() ?? [])],
      mirror,
      deployments: store.deployments,
      acceptedCommits: store.environments,
      services: store.environments,
      holds: store.holds,
      submitToLane: (request) => orchestrator.submitToLane(request),
      runningDeployment: (key) => orchestrator.runningDeployment(key),
      gates: {
        facts: store.gates.facts,
        approvals: store.approvals,
        hasWorker: (cluster) => orchestrator.hasWorker(cluster),
        calendar: ({ repository, environment, now }) => {
          const place = config.repositories.get(repository)?.environments.get(environment);
          return place ? freezesInForce(place.freeze, now) : [];
        },
        ...{ dependencies, note },
      },
      wakeFollowers,
      drift: store.drift,
      polls: {
        branch: (name) => config.repositories.get(name)?.branch,
        heads: store.inbox,
        seen: store.polls,
        log,
      },
    });
    installRuntime((message, fields) => {
      log.warn(fields, redact(message));
    });
    const connection = await untilConnected(config.temporal.address, log, stop);
    if (connection) {
      closing.push(() => connection.close());
      const { namespace } = config.temporal;
      const setting = { connection, namespace, interceptor: failureInterceptor(redact) };
      const worker = await createServiceWorker(setting, activities);
      const polls = pollsOf(config);
      const polling = keepPolls({
        setSchedules: async () => {
          await orchestrator.setPollSchedules(polls);
          await orchestrator.setDriftSchedules(driftWatchesOf(environments));
        },
        lookNow: () => orchestrator.pollNow(polls),
        log,
      });
      closing.push(polling.stop);
      const resuming = keepReleasesRunning({
        releases: store.releases,
        isConfigured: (name) => config.repositories.has(name),
        resume: (input) => orchestrator.resumeRelease(input),
        log,
      });
      closing.push(resuming.stop);
      const watching = watchWorkers({
        waiting: () => store.gates.waitingLanes({ reason: 'worker' }),
        hasWorker: (cluster) => orchestrator.hasWorker(cluster),
        wake: (lanes) => orchestrator.gatesChanged(lanes),
        log,
      });
      closing.push(watching.stop);
      log.info('ready');
      await worker.runUntil(untilAborted(stop));
    }
  } finally {
    // Whatever ended it: a half of a server would go on accepting what nobody handles.
    for (const close of closing.reverse()) await close();
    log.info('ended');
  }
}

/** HTTP takes webhooks while Temporal is away; the worker joins when it is back. */
async function untilConnected(address: string, log: Logger, stop: AbortSignal) {
  while (!stop.aborted) {
    try {
      return await connectWorkers(address);
    } catch (error) {
      log.warn({ err: error }, 'Temporal does not answer');
      await delay(2_000, undefined, { signal: stop }).catch(() => undefined);
    }
  }
  return undefined;
}

function pollsOf(config: Config): Poll[] {
  return [...config.repositories].flatMap(([repository, { pollMs }]) =>
    pollMs === undefined ? [] : [{ repository, everyMs: pollMs }],
  );
}

/** What is observed belongs to another pipeline: whatever it does there is no drift. */
function driftWatchesOf(environments: readonly EnvironmentConfig[]): DriftWatch[] {
  return environments.flatMap(({ repository, name, cluster, namespace, mode, driftMs }) =>
    driftMs === undefined || mode === 'observe'
      ? []
      : [{ repository, environment: name, cluster, namespace, everyMs: driftMs }],
  );
}

function servedRepositories(
  config: Config,
  secrets: ServerSecrets,
): ReadonlyMap<string, ServedRepository> {
  return new Map(
    [...config.repositories].map(([name, { url, branch, pollMs, environments }]) => [
      name,
      {
        ...{ url, branch, environments },
        ...(pollMs === undefined ? {} : { pollMs }),
        webhookSecrets: secrets.webhookSecrets.get(name) ?? [],
      },
    ]),
  );
}

/** Only what the branch holds can be released: anybody may offer other commits to a forge. */
async function resolveCommit(mirror: Mirror, commit: string): Promise<string | undefined> {
  try {
    const head = await mirror.head();
    return (await mirror.isAncestor(commit, head)) ? commit : undefined;
  } catch (error) {
    if (error instanceof SlipwayError && error.code === 'commit-missing') return undefined;
    throw error;
  }
}
