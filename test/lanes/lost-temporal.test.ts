import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Mirror } from '../../src/adapters/git/mirror.ts';
import { Orchestrator } from '../../src/adapters/temporal/orchestrator.ts';
import type { ClusterActivities } from '../../src/contract/workflow/activities.ts';
import { laneWorkflowId, releaseWorkflowId } from '../../src/contract/workflow/ids.ts';
import { resumeReleases } from '../../src/main/resume-releases.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startGitHost, type GitHost } from '../support/git-host.ts';
import { releaseTarget } from '../support/requests.ts';
import { storedService } from '../support/stored-service.ts';
import { startDevServer, withWorkers } from '../support/temporal.ts';
import { until } from '../support/until.ts';

const repository = 'deployments';
const asked = { actor: 'Ada', requestId: 'r' };
const unexpected = (fields: object, message: string) => {
  throw new Error(message, { cause: fields });
};
const log = { info: () => undefined, warn: unexpected, error: unexpected };
let database: TestDatabase;
let host: GitHost;
beforeAll(async () => {
  [database, host] = await Promise.all([createTestDatabase(), startGitHost()]);
});
afterAll(() => Promise.all([database.close(), host.stop()]));

test('a Temporal that lost everything costs no release: what waited goes on, what was applied is applied again', async () => {
  await database.store.environments.sync([place('cs-dev'), place('cs-qa')]);
  const release = await newRelease();
  const held = { repository, name: 'cs-qa', ...asked };
  await database.store.holds.hold({ ...held, reason: 'audit' });
  await withTemporal({ hang: true }, async ({ orchestrator }) => {
    await orchestrator.startRelease(release);
    await untilPhases(release.releaseId, 'cs-dev applying, cs-qa waiting');
  });
  await database.store.holds.resume(held);
  await withTemporal({ hang: false }, async ({ resume }) => {
    await resume();
    await untilPhases(release.releaseId, 'cs-dev succeeded, cs-qa succeeded');
  });
  const deployments = await Promise.all(
    (await found(release.releaseId)).map(({ id }) => database.store.deployments.find(id)),
  );
  expect(deployments.map((one) => one?.attempts.map(({ number }) => number))).toEqual([
    [1, 2],
    [1],
  ]);
});

test('a release and a lane that somebody terminated come back, once', async () => {
  await database.store.environments.sync([place('cs-dev'), place('cs-qa')]);
  const release = await newRelease();
  const held = { repository, name: 'cs-dev', ...asked };
  await database.store.holds.hold({ ...held, reason: 'audit' });
  const applied = await withTemporal({ hang: false }, async ({ orchestrator, resume, client }) => {
    await orchestrator.startRelease(release);
    await untilPhases(release.releaseId, 'cs-dev waiting, cs-qa succeeded');
    const ids = [releaseWorkflowId(repository, release.commit, 0), laneWorkflowId(place('cs-dev'))];
    for (const id of ids) await client.workflow.getHandle(id).terminate();
    await resume();
    await resume();
    await database.store.holds.resume(held);
    await orchestrator.gatesChanged([place('cs-dev')]);
    await untilPhases(release.releaseId, 'cs-dev succeeded, cs-qa succeeded');
    // The release hears of it too, and ends.
    await client.workflow.getHandle(ids[0] ?? '').result();
    await resume();
  });
  expect(applied).toEqual([release.commit, release.commit]);
});

interface Running {
  orchestrator: Orchestrator;
  client: TestWorkflowEnvironment['client'];
  /** What the server does each minute. */
  resume: () => Promise<void>;
}

/** A Temporal that knows nothing yet; answers with the commits that were applied. */
async function withTemporal(
  { hang }: { hang: boolean },
  story: (running: Running) => Promise<void>,
): Promise<string[]> {
  const environment = await startDevServer();
  const { address, client } = environment;
  const orchestrator = new Orchestrator({ address, namespace: 'default' });
  const { store, db } = database;
  const resume = async () => {
    // As if half a minute had passed.
    await db
      .updateTable('releases')
      .set({ created_at: new Date(0) })
      .execute();
    await resumeReleases({
      releases: store.releases,
      isConfigured: () => true,
      resume: (input) => orchestrator.resumeRelease(input),
      log,
    });
  };
  const applied: string[] = [];
  const cluster: Partial<ClusterActivities> = {
    checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
    plan: () =>
      Promise.resolve({ digest: 'd', services: [{ name: 'example-api', chart: 'charts/api' }] }),
    inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
    heal: () => Promise.resolve({ healed: [] }),
    apply: async ({ deployment }) => {
      const { cancellationSignal } = Context.current();
      await until(() => !hang || cancellationSignal.aborted);
      cancellationSignal.throwIfAborted();
      applied.push(deployment.commit);
      return { durationMs: 1 };
    },
    watchRollout: () => Promise.resolve({ state: 'healthy', services: [] }),
  };
  try {
    await withWorkers(environment, { service: service(orchestrator), cluster }, () =>
      story({ orchestrator, client, resume }),
    );
  } finally {
    await orchestrator.close();
    await environment.teardown();
  }
  return applied;
}

function service(orchestrator: Orchestrator) {
  const { store } = database;
  const access = { path: process.env.PATH ?? '/usr/bin:/bin', url: host.url, folder: host.folder };
  const mirror = new Mirror(access, 'main');
  return storedService({ store, mirror: () => mirror, orchestrator, log }, () =>
    ['cs-dev', 'cs-qa'].map((name) => {
      const { retry, rollout } = releaseTarget(name);
      const rules = {
        retry,
        rollout,
        onFailure: 'stop' as const,
        overtakeVerifying: false,
        mode: 'deploy' as const,
        chartRanges: 'follow' as const,
      };
      return { ...place(name), ...rules, after: [] };
    }),
  );
}

async function newRelease() {
  const commit = await host.commit({ files: { 'a.txt': String(performance.now()) } });
  const { release } = await database.store.releases.upsert({
    ...{ repository, commit, kind: 'automatic' },
  });
  const { id: releaseId, number: releaseNumber } = release;
  return {
    releaseId,
    releaseNumber,
    repository,
    commit,
    run: 0,
    kind: 'automatic' as const,
    force: false,
  };
}

function place(name: string) {
  return { repository, name, cluster: 'notprod', namespace: name };
}

async function found(releaseId: string) {
  return (await database.store.releases.find(releaseId))?.deployments ?? [];
}

async function untilPhases(releaseId: string, wanted: string): Promise<void> {
  const phases = async () =>
    (await found(releaseId)).map(({ environment, phase }) => `${environment} ${phase}`).join(', ');
  await expect.poll(phases, { timeout: 60_000, interval: 50 }).toBe(wanted);
}
