import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunningSlipway } from '../support/running-slipway.ts';
import { until } from '../support/until.ts';

const ENDED = { timeoutMs: 120_000 };

let at: RunningSlipway;
beforeAll(async () => {
  at = await RunningSlipway.start('e2e-roll-back', () => ({ onFailure: 'rollback' }));
  await at.slipway.api.untilEnded(await at.push('2.9.0'), ENDED);
});
afterAll(() => at.stop());

test('a failed deployment is taken back: the revision before it runs again, healthy', async () => {
  const before = await runningImage();
  const commit = await at.push('3.0.0-missing');
  const release = await at.slipway.api.untilEnded(commit, ENDED);
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
  const current = await at.helmRelease();
  const commit = await at.push('3.1.0-missing');
  await until(() => anyStatus(/^pending/), { timeoutMs: 60_000, intervalMs: 10 });
  await at.kubernetes.core.deleteNamespacedSecret({
    name: `sh.helm.release.v1.example-api.v${current?.helmRevision ?? 0}`,
    namespace: 'cs-dev',
  });
  const release = await at.slipway.api.untilEnded(commit, ENDED);
  expect(release.deployments[0]).toMatchObject({
    phase: 'rolled-back',
    cause: { sentence: expect.stringMatching(/example-api by applying \w{8} again/) as string },
  });
  expect(await runningImage()).toBe(before);
});

test("the failed commit's successor is planned from what runs, and succeeds", async () => {
  const commit = await at.push('3.2.0');
  const release = await at.slipway.api.untilEnded(commit, ENDED);
  expect(release.deployments.map(({ phase }) => phase)).toEqual(['succeeded', 'succeeded']);
  const plan = await at.slipway.api.get<{ services: { name: string; reason: string }[] }>(
    `/deployments/${release.deployments[0]?.id ?? ''}/plan`,
  );
  expect(plan.services).toMatchObject([{ name: 'example-api', reason: 'input changed' }]);
});

/** What the service's workload declares, once all of it runs. */
async function runningImage(): Promise<string | undefined> {
  const { spec, status } = await at.kubernetes.apps.readNamespacedDeployment({
    name: 'example-api',
    namespace: 'cs-dev',
  });
  expect(status?.updatedReplicas).toBe(spec?.replicas);
  expect(status?.availableReplicas).toBe(spec?.replicas);
  return spec?.template.spec?.containers[0]?.image;
}

async function anyStatus(pattern: RegExp): Promise<boolean> {
  const helmReleases = await at.helmReleases();
  return helmReleases.some(({ status }) => pattern.test(status));
}
