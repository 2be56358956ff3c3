import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../support/own-services.ts';
import { ReleaseLab, type ReleasedEnvironment } from '../support/released-environment.ts';

let lab: ReleaseLab;
beforeAll(async () => {
  lab = await ReleaseLab.start();
});
afterAll(() => lab.stop());

test('what was deployed asleep is seen to sleep, and verified when its schedule wakes it', async () => {
  const environment = await sleeping('sleeper', '1');
  expect(await environment.watchAtWake('once')).toMatchObject({
    state: 'healthy',
    services: [{ service: 'web', health: 'asleep' }],
  });
  await wake(environment);
  const judgement = await environment.watchAtWake('after');
  expect(judgement).toMatchObject({ state: 'healthy', services: [{ service: 'web' }] });
  expect(judgement.services[0]).not.toHaveProperty('health');
  expect(environment.health.at(-1)?.services).toMatchObject([
    { service: 'web', state: 'healthy', workloads: [{ workload: 'Deployment/web' }] },
  ]);
});

test('an image that does not exist is found out at wake, with its name', async () => {
  const environment = await sleeping('oversleeper', '2-missing');
  await wake(environment);
  const { state, cause } = await environment.watchAtWake('after');
  expect(state).toBe('failed');
  expect(cause).toMatchObject({ code: 'image-not-found', image: 'registry.example/own:2-missing' });
  expect(environment.health.at(-1)?.services).toMatchObject([
    { service: 'web', state: 'degraded', note: expect.stringContaining('2-missing') as string },
  ]);
});

/** An environment whose only service is at zero by a schedule, and was released so. */
async function sleeping(name: string, version: string): Promise<ReleasedEnvironment> {
  const base = repository(name, ['web']);
  const deployment = base['chart/templates/deployment.yaml'] ?? '';
  const schedule = '{ "downscaler/uptime": "Mon-Fri 07:50-18:05 Europe/London" }';
  const environment = await lab.environment(name, {
    ...base,
    'values/web.yaml': `replicas: 0\nversion: ${JSON.stringify(version)}\n`,
    'chart/templates/deployment.yaml': deployment.replace(
      'metadata: { name: {{ .Release.Name }} }',
      `metadata: { name: {{ .Release.Name }}, annotations: ${schedule} }`,
    ),
  });
  expect((await environment.release()).end.phase).toBe('succeeded');
  expect(environment.health.at(-1)?.services).toMatchObject([
    { service: 'web', state: 'asleep', note: expect.stringContaining('07:50') as string },
  ]);
  return environment;
}

/** What a downscaler does in the morning. */
function wake(environment: ReleasedEnvironment): Promise<string> {
  return environment.kubectl('scale', 'deployment/web', '--replicas=1');
}
