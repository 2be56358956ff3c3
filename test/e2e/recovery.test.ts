import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKubernetes, type KubernetesApi } from '../../src/adapters/kubernetes/client.ts';
import { listHelmReleases } from '../../src/adapters/kubernetes/helm-releases.ts';
import { ENVIRONMENTS, startInstance, type Instance } from '../../src/main/dev/instance.ts';
import { startPlatform, type Platform } from '../../src/main/dev/platform.ts';
import { pushVersion } from '../../src/main/dev/story.ts';
import { platformTools } from '../support/platform-tools.ts';
import { until } from '../support/until.ts';

/** After a crash, in milliseconds: what the product promises. */
const PROMISED_MS = 120_000;

let platform: Platform;
let slipway: Instance;
let kubernetes: KubernetesApi;
let version = 10;

beforeAll(async () => {
  platform = await startPlatform({
    dataDir: join(import.meta.dirname, '../../.slipway/e2e-recovery'),
    tools: await platformTools(),
    namespaces: ENVIRONMENTS,
  });
  slipway = await startInstance({
    platform,
    webhookSecret: randomBytes(24).toString('base64url'),
    rollout: { soak: '1s' },
    onFailure: 'rollback',
  });
  kubernetes = openKubernetes({
    server: platform.kubernetes.server,
    namespace: 'cs-dev',
    certificateAuthority: await readFile(platform.kubernetes.caFile, 'utf8'),
    token: platform.kubernetes.token,
  });
  const first = await pushVersion(slipway.repository.url, '2.9.0');
  await slipway.api.untilEnded(first, { timeoutMs: PROMISED_MS });
});

afterAll(async () => {
  await slipway.stop();
  await platform.stop();
});

// The moments differ in what helm had written when its worker was killed.
test.each([
  ['as the apply begins', () => phaseIs('applying')],
  ['when helm has begun', () => anyStatus(/^pending/)],
])(
  'kill -9 of the worker %s: another ends the release right, and nothing stays pending',
  async (_when, moment) => {
    version += 1;
    const commit = await pushVersion(slipway.repository.url, `2.9.${version}`);
    await until(moment, { timeoutMs: 60_000, intervalMs: 10 });
    process.kill(slipway.worker().pid, 'SIGKILL');
    const crashed = performance.now();
    await slipway.startWorker();
    const release = await slipway.api.untilEnded(commit, { timeoutMs: 2 * PROMISED_MS });
    const environments = release.deployments.map(({ environment, phase, cause }) => ({
      environment,
      phase,
      cause,
    }));
    expect(environments).toEqual([
      { environment: 'cs-dev', phase: 'succeeded', cause: null },
      { environment: 'wcs-dev', phase: 'succeeded', cause: null },
    ]);
    const firstEnded = Date.parse(release.deployments[0]?.endedAt ?? '');
    expect(firstEnded - (Date.now() - (performance.now() - crashed))).toBeLessThan(PROMISED_MS);
    expect(await anyStatus(/^(pending|failed|uninstalling)/)).toBe(false);
  },
  2.5 * PROMISED_MS,
);

test('a failed deployment is taken back: the revision before it runs again, healthy', async () => {
  const before = await runningImage();
  const commit = await pushVersion(slipway.repository.url, '3.0.0-missing');
  const release = await slipway.api.untilEnded(commit, { timeoutMs: PROMISED_MS });
  expect(release.deployments.map(({ phase }) => phase)).toEqual(['rolled-back', 'skipped']);
  expect(release.deployments[0]?.cause).toMatchObject({ code: 'image-not-found' });
  expect(release.deployments[0]?.cause?.sentence).toMatch(
    /Taken back: example-api to revision \d+/,
  );
  expect(await runningImage()).toBe(before);
  expect(await anyStatus(/^(pending|failed|uninstalling)/)).toBe(false);
});

test('with the revision gone from Helm, the commit of the last success is applied again', async () => {
  const before = await runningImage();
  const helmReleases = await listHelmReleases(kubernetes, 'cs-dev');
  const current = helmReleases.find(({ service }) => service === 'example-api');
  const commit = await pushVersion(slipway.repository.url, '3.1.0-missing');
  await until(() => anyStatus(/^pending/), { timeoutMs: 60_000, intervalMs: 10 });
  await kubernetes.core.deleteNamespacedSecret({
    name: `sh.helm.release.v1.example-api.v${current?.helmRevision ?? 0}`,
    namespace: 'cs-dev',
  });
  const release = await slipway.api.untilEnded(commit, { timeoutMs: PROMISED_MS });
  expect(release.deployments[0]).toMatchObject({
    phase: 'rolled-back',
    cause: { sentence: expect.stringMatching(/example-api by applying \w{8} again/) as string },
  });
  expect(await runningImage()).toBe(before);
});

test("the failed commit's successor is planned from what runs, and succeeds", async () => {
  const commit = await pushVersion(slipway.repository.url, '3.2.0');
  const release = await slipway.api.untilEnded(commit, { timeoutMs: PROMISED_MS });
  expect(release.deployments.map(({ phase }) => phase)).toEqual(['succeeded', 'succeeded']);
  const plan = await slipway.api.get<{ services: { name: string; reason: string }[] }>(
    `/deployments/${release.deployments[0]?.id ?? ''}/plan`,
  );
  expect(plan.services).toMatchObject([{ name: 'example-api', reason: 'input changed' }]);
});

/** What the service's workload declares, once all of it runs. */
async function runningImage(): Promise<string | undefined> {
  const { spec, status } = await kubernetes.apps.readNamespacedDeployment({
    name: 'example-api',
    namespace: 'cs-dev',
  });
  expect(status?.updatedReplicas).toBe(spec?.replicas);
  expect(status?.availableReplicas).toBe(spec?.replicas);
  return spec?.template.spec?.containers[0]?.image;
}

async function phaseIs(phase: string): Promise<boolean> {
  const { items } = await slipway.api.get<{ items: { deployments: { phase: string }[] }[] }>(
    '/releases?limit=1',
  );
  return items[0]?.deployments[0]?.phase === phase;
}

async function anyStatus(pattern: RegExp): Promise<boolean> {
  const helmReleases = await listHelmReleases(kubernetes, 'cs-dev');
  return helmReleases.some(({ status }) => pattern.test(status));
}
