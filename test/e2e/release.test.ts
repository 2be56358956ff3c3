import { Client, Connection } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKubernetes, type KubernetesApi } from '../../src/adapters/kubernetes/client.ts';
import type { Deployment } from '../../src/contract/api/deployment.ts';
import type { Release } from '../../src/contract/api/release.ts';
import { startInstance, ENVIRONMENTS, type Instance } from '../../src/main/dev/instance.ts';
import { startPlatform, type Platform } from '../../src/main/dev/platform.ts';
import { pushVersion } from '../../src/main/dev/story.ts';
import { startFaultyLine, type FaultyLine } from '../support/faulty-line.ts';
import { sendPush } from '../support/github-push.ts';
import { platformTools } from '../support/platform-tools.ts';
import { until } from '../support/until.ts';

const IMAGE = 'registry.example/api';
const ENDED = { timeoutMs: 110_000 };

let platform: Platform;
let line: FaultyLine;
let slipway: Instance;
let kubernetes: KubernetesApi;
/** The commit that was released last. */
let before: string;

beforeAll(async () => {
  platform = await startPlatform({
    dataDir: join(import.meta.dirname, '../../.slipway/e2e'),
    tools: await platformTools(),
    namespaces: ENVIRONMENTS,
  });
  line = await startFaultyLine(platform.kubernetes.server);
  slipway = await startInstance({
    platform,
    webhookSecret: randomBytes(24).toString('base64url'),
    kubernetesServer: line.url,
    rollout: { soak: '3s' },
  });
  kubernetes = openKubernetes({
    server: platform.kubernetes.server,
    namespace: 'cs-dev',
    certificateAuthority: await readFile(platform.kubernetes.caFile, 'utf8'),
    token: platform.kubernetes.token,
  });
});

afterAll(async () => {
  await slipway.stop();
  await line.close();
  await platform.stop();
});

test('a push releases both environments, one after the other', async () => {
  before = await pushVersion(slipway.repository.url, '2.4.2');
  const release = await slipway.api.untilEnded(before, ENDED);
  expect(phases(release)).toEqual({ 'cs-dev': 'succeeded', 'wcs-dev': 'succeeded' });
  const [first, second] = release.deployments;
  expect(Date.parse(second?.startedAt ?? '')).toBeGreaterThanOrEqual(
    Date.parse(first?.endedAt ?? ''),
  );
  for (const namespace of ENVIRONMENTS) {
    expect(await runningImages(namespace)).toEqual([`${IMAGE}:2.4.2`]);
  }
  expect(release).toMatchObject({ title: 'Bump example-api to 2.4.2', kind: 'automatic' });
});

test('a bad image fails the first environment while helm still waits, and the second is skipped', async () => {
  const commit = await pushVersion(slipway.repository.url, '2.5.0-missing');
  await until(async () => (await podTrouble('cs-dev')) !== undefined, ENDED);
  const podsFailed = performance.now();
  const release = await slipway.api.untilEnded(commit, ENDED);
  expect(performance.now() - podsFailed).toBeLessThan(30_000);

  expect(phases(release)).toEqual({ 'cs-dev': 'failed', 'wcs-dev': 'skipped' });
  expect(release.deployments[0]?.cause).toMatchObject({
    code: 'image-not-found',
    service: 'example-api',
    container: 'app',
    image: `${IMAGE}:2.5.0-missing`,
  });
  expect(release.deployments[0]?.cause?.reason).toMatch(/^(ErrImagePull|ImagePullBackOff)$/);
  expect(release.deployments[1]?.cause?.sentence).toContain('cs-dev');
  // The old pods go on serving: that is no success.
  const api = await kubernetes.apps.readNamespacedDeployment({
    name: 'example-api',
    namespace: 'cs-dev',
  });
  expect(api.status?.availableReplicas).toBe(api.spec?.replicas);
  expect(await helmStatus('cs-dev', 'example-api')).toBe('failed');
});

test('when the image exists, a rerun by the API succeeds in both', async () => {
  const failed = await newestRelease();
  await platform.kubernetes.publishImages();
  const answer = await slipway.api.request('POST', `/releases/${failed.id}/rerun`, {
    reason: 'the image was pushed',
  });
  expect(answer.status).toBe(202);
  await until(async () => (await slipway.api.releaseOf(failed.commit))?.endedAt === null, ENDED);
  const release = await slipway.api.untilEnded(failed.commit, ENDED);
  expect(phases(release)).toEqual({ 'cs-dev': 'succeeded', 'wcs-dev': 'succeeded' });
  expect(release.runs).toBe(1);
  expect(await runningImages('cs-dev')).toEqual([`${IMAGE}:2.5.0-missing`]);
  before = failed.commit;
});

test('an API server that is away for 20 s while planning is waited for', async () => {
  await line.cut();
  const commit = await pushVersion(slipway.repository.url, '2.5.1');
  await until(
    async () => (await slipway.api.releaseOf(commit))?.deployments[0]?.phase === 'planning',
  );
  // The length of the fault itself.
  await delay(20_000);
  await line.restore();
  const release = await slipway.api.untilEnded(commit, ENDED);
  expect(phases(release)).toEqual({ 'cs-dev': 'succeeded', 'wcs-dev': 'succeeded' });
  expect(release.deployments[0]?.attempt).toBe(1);
  before = commit;
});

test('the same webhook five times, at once and later, makes one release', async () => {
  const commit = await pushVersion(slipway.repository.url, '2.5.2');
  const push = { before, after: commit };
  const atOnce = await Promise.all([1, 2, 3, 4, 5].map(() => sendPush(slipway, push)));
  expect(new Set(atOnce.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(atOnce.map(({ body }) => body.id)).size).toBe(1);
  await slipway.api.untilEnded(commit, ENDED);
  for (let again = 0; again < 5; again += 1) {
    expect((await sendPush(slipway, push)).status).toBe(202);
  }
  const { items } = await slipway.api.get<{ items: Release[] }>('/releases?limit=50');
  const ofCommit = items.filter((release) => release.commit === commit);
  expect(ofCommit).toHaveLength(1);
  expect(ofCommit[0]).toMatchObject({ phase: 'succeeded', runs: 0 });
  before = commit;
});

test('kill -9 of the worker while verifying: a new worker finishes the release', async () => {
  const commit = await pushVersion(slipway.repository.url, '2.5.3');
  await until(
    async () => (await slipway.api.releaseOf(commit))?.deployments[0]?.phase === 'verifying',
    ENDED,
  );
  process.kill(slipway.worker().pid, 'SIGKILL');
  await slipway.startWorker();
  const release = await slipway.api.untilEnded(commit, ENDED);
  expect(phases(release)).toEqual({ 'cs-dev': 'succeeded', 'wcs-dev': 'succeeded' });
  expect(release.deployments[0]?.attempt).toBe(1);
});

test('the log of a deployment holds what helmfile said', async () => {
  const { deployments } = await newestRelease();
  const id = deployments[0]?.id ?? '';
  const log = await slipway.api.get<{ items: { text: string; step: string }[] }>(
    `/deployments/${id}/log?step=apply&limit=200`,
  );
  expect(log.items.map(({ text }) => text).join('\n')).toContain('example-api');
  const deployment = await slipway.api.get<Deployment>(`/deployments/${id}`);
  // The bump of one service plans that one, and helm hears of no other.
  expect(deployment.plan?.services).toMatchObject([
    { name: 'example-api', reason: expect.stringContaining('input changed') as string },
  ]);
  expect(await helmRevisions('cs-dev', 'example-audit')).toBe(1);
});

test('a deployment is cancelled from the API, and helm leaves nothing pending', async () => {
  await platform.kubernetes.withholdImages();
  const commit = await pushVersion(slipway.repository.url, '2.6.0-missing');
  await until(
    async () => (await slipway.api.releaseOf(commit))?.deployments[0]?.phase === 'applying',
    ENDED,
  );
  const release = await newestRelease();
  expect((await slipway.api.request('POST', `/releases/${release.id}/cancel`)).status).toBe(202);
  const ended = await slipway.api.untilEnded(commit, ENDED);
  expect(phases(ended)).toEqual({ 'cs-dev': 'cancelled', 'wcs-dev': 'cancelled' });
  expect(ended.deployments[0]?.cause?.sentence).toContain('slipway dev');
  for (const service of ['example-api', 'example-audit', 'example-frontend', 'example-worker']) {
    expect(await helmStatus('cs-dev', service)).not.toMatch(/^pending/);
  }
});

test("Temporal's UI finds deployments, and no history holds a secret", async () => {
  const { address, namespace } = platform.temporal;
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  const secrets = [platform.kubernetes.token, slipway.token, slipway.webhookSecret];
  secrets.push(new URL(platform.postgres.url).password);
  let histories = 0;
  for await (const { workflowId, runId } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    // Payloads are bytes, which JSON shows in base64.
    const text = JSON.stringify(history, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
    );
    for (const secret of secrets) expect(text.includes(secret)).toBe(false);
    histories += 1;
  }
  expect(histories).toBeGreaterThan(10);
  const query = "SlipEnvironment = 'cs-dev' AND SlipPhase = 'failed'";
  const found = await client.workflow.count(query);
  expect(found.count).toBeGreaterThanOrEqual(1);
  await connection.close();
});

function phases(release: Release): Record<string, string> {
  return Object.fromEntries(
    release.deployments.map(({ environment, phase }) => [environment, phase]),
  );
}

async function newestRelease(): Promise<Release> {
  const { items } = await slipway.api.get<{ items: Release[] }>('/releases?limit=1');
  const [newest] = items;
  if (!newest) throw new Error('there is no release');
  return newest;
}

/** The images of the service's pods that run, each once. */
async function runningImages(namespace: string): Promise<string[]> {
  const { items } = await kubernetes.core.listNamespacedPod({ namespace });
  const images = items
    .filter(({ status, metadata }) => status?.phase === 'Running' && !metadata?.deletionTimestamp)
    .flatMap(({ spec }) => spec?.containers ?? [])
    .flatMap(({ image }) => (image?.startsWith(IMAGE) ? [image] : []));
  return [...new Set(images)];
}

/** Why a container of the namespace waits, once one fails to pull. */
async function podTrouble(namespace: string): Promise<string | undefined> {
  const { items } = await kubernetes.core.listNamespacedPod({ namespace });
  return items
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .map(({ state }) => state?.waiting?.reason)
    .find((reason) => reason === 'ErrImagePull' || reason === 'ImagePullBackOff');
}

/** How many revisions a Helm release has. */
async function helmRevisions(namespace: string, service: string): Promise<number> {
  const labelSelector = `owner=helm,name=${service}`;
  return (await kubernetes.core.listNamespacedSecret({ namespace, labelSelector })).items.length;
}

/** The status of the newest revision of a Helm release. */
async function helmStatus(namespace: string, service: string): Promise<string | undefined> {
  const { items } = await kubernetes.core.listNamespacedSecret({
    namespace,
    labelSelector: `owner=helm,name=${service}`,
  });
  const labels = items.map(({ metadata }) => metadata?.labels ?? {});
  labels.sort((a, b) => Number(b.version) - Number(a.version));
  return labels[0]?.status;
}
