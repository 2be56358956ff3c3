import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Mirror } from '../../src/adapters/git/mirror.ts';
import { Orchestrator } from '../../src/adapters/temporal/orchestrator.ts';
import type { ClusterActivities } from '../../src/contract/workflow/activities.ts';
import type { DeploymentSummary } from '../../src/contract/api/deployment.ts';
import { createOrder } from '../../src/main/order.ts';
import { createVersionsAt } from '../../src/main/versions-at.ts';
import { startTestApp, wakingOnly, type TestApp } from '../support/app.ts';
import { startGitHost, type GitHost } from '../support/git-host.ts';
import { releaseTarget } from '../support/requests.ts';
import { storedService } from '../support/stored-service.ts';
import { startDevServer, withWorkers } from '../support/temporal.ts';

// All but the cluster is real: HTTP, PostgreSQL, Temporal, and the git of two repositories.
let temporal: Awaited<ReturnType<typeof startDevServer>>;
let orchestrator: Orchestrator;
let hosts: Record<Repository, GitHost>;
let app: TestApp;
beforeAll(async () => {
  const [server, notprod, prod] = await Promise.all([
    startDevServer(),
    startGitHost(),
    startGitHost(),
  ]);
  temporal = server;
  hosts = { notprod, prod };
  orchestrator = new Orchestrator({
    ...{ address: temporal.address, namespace: temporal.namespace ?? 'default' },
  });
  app = await startTestApp({ orchestrator: wakingOnly(orchestrator) });
  await app.database.store.environments.sync(
    Object.entries(ENVIRONMENTS).map(([repository, name]) => ({
      ...{ repository, name, cluster: 'notprod', namespace: name },
    })),
  );
});
afterAll(async () => {
  await Promise.all([app.close(), hosts.notprod.stop(), hosts.prod.stop(), orchestrator.close()]);
  await temporal.teardown();
});

const ENVIRONMENTS = { notprod: 'cs-uat', prod: 'cs-prod' } as const;
type Repository = keyof typeof ENVIRONMENTS;

test('prod follows uat of another repository: it waits for a version, hears of it, or is let pass', async () => {
  const applied: string[] = [];
  await withWorkers(temporal, { service: await service(), cluster: cluster(applied) }, async () => {
    await succeeded(await release('notprod', '2.18.3'));
    const prod = await release('prod', '2.18.4');
    await until(prod, 'waiting');
    expect((await deploymentOf(prod))?.waiting).toEqual({
      reason: 'dependency',
      sentence: 'cs-prod waits until notprod/cs-uat runs hocs-audit 2.18.4 (there: 2.18.3).',
    });
    const uat = await release('notprod', '2.18.4');
    await succeeded(uat);
    await succeeded(prod);
    expect(applied.slice(-2)).toEqual(['cs-uat', 'cs-prod']);

    const urgent = await release('prod', '2.18.5');
    await until(urgent, 'waiting');
    await letPass((await deploymentOf(urgent))?.id ?? '');
    await succeeded(urgent);
  });
});

async function service() {
  const { store } = app.database;
  const mirrors = { notprod: mirrorOf('notprod'), prod: mirrorOf('prod') };
  const mirror = (name: string) => mirrors[name as Repository];
  const follows = [{ repository: 'notprod', environment: 'cs-uat', soakMs: 0 }];
  const rules = { versionKeys: new Map<string, string>() };
  const order = createOrder({
    repositories: new Map([
      ['notprod', { environments: new Map([['cs-uat', { waitsFor: [], ...rules }]]) }],
      ['prod', { environments: new Map([['cs-prod', { waitsFor: follows, ...rules }]]) }],
    ]),
    ...{ store, wake: (lanes) => orchestrator.gatesChanged(lanes) },
    versions: await createVersionsAt(mirror, await mkdtemp(join(hosts.prod.folder, 'looks-'))),
  });
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const environments = (repository: string) => {
    const name = ENVIRONMENTS[repository as Repository];
    const { retry, rollout } = releaseTarget(name);
    return [
      {
        ...{ name, cluster: 'notprod', namespace: name, after: [], retry, rollout },
        ...({ onFailure: 'stop', overtakeVerifying: false, mode: 'deploy' } as const),
        chartRanges: 'follow' as const,
      },
    ];
  };
  return storedService({ store, mirror, orchestrator, log }, environments, order);
}

function mirrorOf(repository: Repository): Mirror {
  const { url, folder } = hosts[repository];
  return new Mirror({ path: process.env.PATH ?? '/usr/bin:/bin', url, folder }, 'main');
}

function cluster(applied: string[]): Partial<ClusterActivities> {
  return {
    checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
    plan: ({ deployment: { commit } }) =>
      Promise.resolve({ digest: commit, services: [{ name: 'hocs-audit', chart: 'charts/api' }] }),
    inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
    apply: ({ deployment: { environment } }) => {
      applied.push(environment);
      return Promise.resolve({ durationMs: 1 });
    },
    watchRollout: () => Promise.resolve({ state: 'healthy', services: [] }),
  };
}

/** Merges this version, and releases it. */
async function release(repository: Repository, version: string): Promise<string> {
  const file = `environments/${ENVIRONMENTS[repository]}/versions.yaml`;
  const files = { [file]: `versions:\n  hocs-audit: ${version}\n` };
  const commit = await hosts[repository].commit({ files });
  const { release: made } = await app.database.store.releases.upsert({
    ...{ repository, commit, kind: 'automatic' },
  });
  await orchestrator.startRelease({
    ...{ releaseId: made.id, releaseNumber: made.number, repository, commit },
    ...{ run: 0, kind: 'automatic', force: false },
  });
  return made.id;
}

async function deploymentOf(releaseId: string): Promise<DeploymentSummary | undefined> {
  return (await app.database.store.releases.find(releaseId))?.deployments[0];
}

async function until(releaseId: string, phase: DeploymentSummary['phase']): Promise<void> {
  const seen = async () => (await deploymentOf(releaseId))?.phase;
  await expect.poll(seen, { timeout: 60_000, interval: 50 }).toBe(phase);
}

function succeeded(releaseId: string): Promise<void> {
  return until(releaseId, 'succeeded');
}

/** As a person does. */
async function letPass(deploymentId: string): Promise<void> {
  const { token } = await app.database.store.tokens.create({
    ...{ name: 'laptop', person: { person: 'ada', groups: [] } },
  });
  const answer = await app.app.inject({
    method: 'POST',
    url: `/api/v1/deployments/${deploymentId}/override`,
    headers: { authorization: `Bearer ${token}` },
    payload: { gate: 'dependency', reason: 'Orders fail.' },
  });
  expect(answer.statusCode).toBe(200);
}
