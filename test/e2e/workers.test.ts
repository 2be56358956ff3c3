import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKubernetes } from '../../src/adapters/kubernetes/client.ts';
import { listHelmReleases } from '../../src/adapters/kubernetes/helm-releases.ts';
import type { Deployment } from '../../src/contract/api/deployment.ts';
import type { LogPage } from '../../src/contract/api/log.ts';
import { SECRET_VARIABLES } from '../../src/main/dev/instance-config.ts';
import { ENVIRONMENTS, startInstance, type Instance } from '../../src/main/dev/instance.ts';
import type { Kubernetes } from '../../src/main/dev/kubernetes.ts';
import { attemptPids } from '../../src/main/dev/platform-processes.ts';
import { startPlatform, type Platform } from '../../src/main/dev/platform.ts';
import { pushVersion } from '../../src/main/dev/story.ts';
import { platformTools } from '../support/platform-tools.ts';
import { until } from '../support/until.ts';

const ENDED = { timeoutMs: 110_000 };
const [NOTPROD, PROD] = ENVIRONMENTS;

let platform: Platform;
let prod: Kubernetes;
let slipway: Instance;
let webhookSecret: string;

beforeAll(async () => {
  platform = await startPlatform({
    dataDir: join(import.meta.dirname, '../../.slipway/e2e-workers'),
    tools: await platformTools(),
    namespaces: ENVIRONMENTS,
    prod: true,
  });
  if (!platform.prod) throw new Error('there is no prod cluster');
  prod = platform.prod;
  webhookSecret = randomBytes(24).toString('base64url');
  slipway = await startInstance({
    ...{ platform, webhookSecret, workersLater: ['prod'] },
    rollout: { soak: '1s' },
  });
});

afterAll(async () => {
  await slipway.stop();
  await platform.stop();
});

test('a release of prod waits for notprod, then for its worker, says so, and goes on by itself', async () => {
  const commit = await pushVersion(prodUrl(), '1.9.0');
  await until(() => waitsFor(commit, 'dependency'), ENDED);
  const sentence = (await deploymentOf(commit))?.waiting?.sentence;
  expect(sentence).toContain(`${PROD} waits until `);
  expect(sentence).toContain(`/${NOTPROD} runs example-api 1.9.0 (there: nothing good yet)`);
  const notprod = await pushVersion(slipway.repository.url, '1.9.0');
  await until(() => waitsFor(commit, 'worker'), ENDED);
  expect((await deploymentOf(commit))?.waiting).toMatchObject({
    sentence: expect.stringMatching(
      /^No worker of cluster prod has polled slipway-cluster-prod since .*: start one with "slipway worker --cluster prod"\.$/,
    ) as string,
  });
  // The clusters that have a worker do not care.
  expect((await slipway.api.untilEnded(notprod, ENDED)).phase).toBe('succeeded');
  await slipway.startWorker('prod');
  expect((await slipway.api.untilEnded(commit, ENDED)).phase).toBe('succeeded');
  expect((await deploymentOf(commit))?.attempt).toBe(1);
});

test('each cluster got its own release, from its own worker', async () => {
  expect(await servicesIn(platform.kubernetes, NOTPROD)).not.toEqual([]);
  expect(await servicesIn(platform.kubernetes, PROD)).toEqual([]);
  expect(await servicesIn(prod, PROD)).not.toEqual([]);
  expect(await servicesIn(prod, NOTPROD)).toEqual([]);
});

test('the server dies while a worker plans, and again while it applies: the release ends right, and no line is lost', async () => {
  const commit = await pushVersion(slipway.repository.url, '1.9.1');
  await until(() => phaseIs(commit, 'planning'), { ...ENDED, intervalMs: 10 });
  await dieAndComeBack(() => Promise.resolve(true));
  const before = await revisionOf('example-api');
  // Only then the apply needs no server: its workflow is the server's to run.
  await until(() => helmIsAtWork('example-api'), { ...ENDED, intervalMs: 10 });
  // The worker goes on alone, and keeps what it has to tell.
  await dieAndComeBack(
    async () => (await revisionOf('example-api')) > before && (await outboxOf('local')).length > 0,
  );
  const release = await slipway.api.untilEnded(commit, ENDED);
  expect(release.phase).toBe('succeeded');
  const id = release.deployments[0]?.id ?? '';
  await until(async () => (await outboxOf('local')).length === 0);
  const log = `/deployments/${id}/log?step=apply&limit=200`;
  const said = (await slipway.api.get<LogPage>(log)).items.map(({ text }) => text).join('\n');
  expect(said).toContain('example-api');
  // The server says where lines are missing.
  expect(said).not.toContain('missing');
  const plan = await slipway.api.get<{ diff?: unknown }>(`/deployments/${id}/plan`);
  expect(plan.diff).toBeDefined();
});

test('a worker, and what it starts, holds the credentials of its own cluster and no others', async () => {
  const tokens = { local: platform.kubernetes.token, prod: prod.token };
  const ofServer = [platform.postgres.url, webhookSecret, slipway.token];
  const own = { local: await environmentOf('local'), prod: await environmentOf('prod') };
  for (const cluster of ['local', 'prod'] as const) {
    const other = cluster === 'local' ? 'prod' : 'local';
    const all = JSON.stringify(own[cluster]);
    for (const secret of [...ofServer, tokens[other], own[other][SECRET_VARIABLES.worker] ?? '']) {
      expect(all).not.toContain(secret);
    }
    expect(own[cluster][SECRET_VARIABLES.cluster]).toBe(tokens[cluster]);
    expect(own[cluster]).not.toHaveProperty(SECRET_VARIABLES.database);
  }
  const configuration = await readFile(slipway.configFile, 'utf8');
  for (const secret of [...ofServer, ...Object.values(tokens)]) {
    expect(configuration).not.toContain(secret);
  }

  // What notprod has had since the server died there.
  const commit = await pushVersion(prodUrl(), '1.9.1');
  const seen = new Set<string>();
  await until(
    async () => {
      for (const text of await childrenOf('prod')) seen.add(text);
      return (await slipway.api.releaseOf(commit))?.endedAt;
    },
    { ...ENDED, intervalMs: 20 },
  );
  const children = [...seen].join('\n');
  expect(children).toContain(tokens.prod);
  const others = [tokens.local, own.prod[SECRET_VARIABLES.worker] ?? '', ...ofServer];
  for (const secret of others) expect(children).not.toContain(secret);
  expect((await slipway.api.untilEnded(commit, ENDED)).phase).toBe('succeeded');
});

/** Kills the server, starts another one when that has come about, and waits until it answers. */
async function dieAndComeBack(meanwhile: () => Promise<boolean>): Promise<void> {
  process.kill(slipway.server().pid, 'SIGKILL');
  await until(meanwhile, ENDED);
  await slipway.startServer();
}

function prodUrl(): string {
  if (!slipway.prodRepository) throw new Error('there is no prod repository');
  return slipway.prodRepository.url;
}

async function deploymentOf(commit: string): Promise<Deployment | undefined> {
  const id = (await slipway.api.releaseOf(commit))?.deployments[0]?.id;
  return id === undefined ? undefined : slipway.api.get<Deployment>(`/deployments/${id}`);
}

async function waitsFor(commit: string, reason: string): Promise<boolean> {
  return (await deploymentOf(commit))?.waiting?.reason === reason;
}

async function phaseIs(commit: string, phase: string): Promise<boolean> {
  return (await slipway.api.releaseOf(commit))?.deployments[0]?.phase === phase;
}

async function servicesIn(kubernetes: Kubernetes, namespace: string) {
  const api = openKubernetes({
    server: kubernetes.server,
    certificateAuthority: await readFile(kubernetes.caFile, 'utf8'),
    token: kubernetes.token,
    namespace,
  });
  return listHelmReleases(api, namespace);
}

async function revisionOf(service: string): Promise<number> {
  const found = await servicesIn(platform.kubernetes, NOTPROD);
  const deployed = found.filter((one) => one.service === service && one.status === 'deployed');
  return Math.max(0, ...deployed.map(({ helmRevision }) => helmRevision));
}

async function helmIsAtWork(service: string): Promise<boolean> {
  const found = await servicesIn(platform.kubernetes, NOTPROD);
  return found.some((one) => one.service === service && one.status.startsWith('pending'));
}

function dataOf(cluster: 'local' | 'prod'): string {
  return join(platform.dataDir, 'slipway', 'data', `worker-${cluster}`);
}

function outboxOf(cluster: 'local' | 'prod'): Promise<string[]> {
  return readdir(join(dataOf(cluster), 'outbox'));
}

async function environmentOf(cluster: 'local' | 'prod'): Promise<Record<string, string>> {
  const text = await readFile(`/proc/${slipway.worker(cluster).pid}/environ`, 'utf8');
  const pairs = text.split('\0').map((pair): [string, string] => {
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
    return [name, value];
  });
  return Object.fromEntries(pairs);
}

/** Environments, arguments and kubeconfigs of the processes that the worker of a cluster started. */
async function childrenOf(cluster: 'local' | 'prod'): Promise<string[]> {
  const texts: string[] = [];
  for (const pid of attemptPids(join(dataOf(cluster), 'attempts'))) {
    // A process that has ended meanwhile has nothing to say.
    const read = (file: string) => readFile(file, 'utf8').catch(() => '');
    const environment = await read(`/proc/${pid}/environ`);
    texts.push(environment, await read(`/proc/${pid}/cmdline`));
    const home = /(?:^|\0)HOME=([^\0]+)/.exec(environment)?.[1];
    if (home) texts.push(await read(join(home, '..', 'kubeconfig')));
  }
  return texts;
}
