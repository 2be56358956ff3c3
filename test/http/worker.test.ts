import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogPage } from '../../src/contract/api/log.ts';
import type { PlanDiff } from '../../src/domain/diff/plan-diff.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { idOf, logLines, storeRelease } from '../support/records.ts';

let test: TestApp;
/** Headers of the workers of two clusters. */
let notprod: { authorization: string };
let prod: { authorization: string };
beforeAll(async () => {
  test = await startTestApp();
  notprod = await workerOf('notprod');
  prod = await workerOf('prod');
});
afterAll(() => test.close());

const diff: PlanDiff = {
  services: [{ service: 'api', resources: [] }],
  truncated: { resources: 0, fields: 0, lines: 0 },
};

describe('POST /worker/logs', () => {
  it('keeps the lines of a deployment of its cluster, once', async () => {
    const id = await storeDeployment();
    const lines = logLines(id, ['one', 'two']);
    expect((await post('logs', lines, notprod)).statusCode).toBe(204);
    expect((await post('logs', lines, notprod)).statusCode).toBe(204);
    const page = await test.app.inject({
      url: `/api/v1/deployments/${id}/log`,
      headers: test.signedIn,
    });
    expect(page.json<LogPage>().items.map(({ text }) => text)).toEqual(['one', 'two']);
  });

  it('knows no deployment of another cluster', async () => {
    const id = await storeDeployment();
    const response = await post('logs', logLines(id, ['forged']), prod);
    expect(response.statusCode).toBe(404);
    const { items } = await test.database.store.logs.read({ deploymentId: id, limit: 10 });
    expect(items).toEqual([]);
  });

  it.each([
    ['an unknown step', { step: 'sudo' }],
    ['a number below zero', { first: -1 }],
    ['no time', { at: 'yesterday' }],
    ['a key that is not known', { cluster: 'prod' }],
  ])('refuses %s', async (_name, change) => {
    const body = { ...logLines(await storeDeployment(), ['line']), ...change };
    expect((await post('logs', body, notprod)).statusCode).toBe(422);
  });
});

describe('POST /worker/plans', () => {
  it.each([['before'], ['after']])('shows the diff that came %s its plan', async (when) => {
    const deploymentId = await storeDeployment();
    const plan = { digest: 'abc', services: [{ name: 'api', chart: 'charts/api' }] };
    const record = () =>
      test.database.store.deployments.recordPhase({
        ...{ deploymentId, phase: 'planning', attempt: 0, note: '', plan },
      });
    if (when === 'after') await record();
    const body = { deploymentId, digest: 'abc', diff };
    expect((await post('plans', body, notprod)).statusCode).toBe(204);
    expect((await post('plans', body, notprod)).statusCode).toBe(204);
    if (when === 'before') await record();
    const shown = await test.app.inject({
      url: `/api/v1/deployments/${deploymentId}/plan`,
      headers: test.signedIn,
    });
    expect(shown.json()).toMatchObject({ digest: 'abc', diff });
  });

  it('takes no plan for another cluster', async () => {
    const body = { deploymentId: await storeDeployment(), digest: 'abc', diff };
    expect((await post('plans', body, prod)).statusCode).toBe(404);
  });
});

describe("a worker's token", () => {
  it.each([
    ['GET', '/api/v1/releases'],
    ['POST', '/api/v1/releases'],
    ['GET', '/api/v1/openapi.json'],
  ] as const)('opens nothing else: %s %s', async (method, url) => {
    const payload = method === 'POST' ? { payload: { repository: 'notprod' } } : {};
    const response = await test.app.inject({ method, url, headers: notprod, ...payload });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({ code: 'forbidden' });
  });

  it("is needed: a person's token may not write logs", async () => {
    const body = logLines(await storeDeployment(), ['forged']);
    expect((await post('logs', body, test.signedIn)).statusCode).toBe(403);
  });
});

describe('POST /worker/health', () => {
  const workload = { workload: 'Deployment/api', state: 'asleep', note: 'until 07:50' };
  const api = { service: 'api', state: 'asleep', note: 'until 07:50', workloads: [workload] };
  const at = '2026-01-02T03:04:05.000Z';

  it('is shown with the deployment, also when it changes after its end', async () => {
    const deploymentId = await storeDeployment();
    expect((await healthOf(deploymentId)).health).toBeNull();
    const web = { ...api, service: 'web', state: 'healthy' };
    const first = { deploymentId, at, services: [web, api] };
    expect((await post('health', first, notprod)).statusCode).toBe(204);
    expect((await post('health', first, notprod)).statusCode).toBe(204);
    expect(await healthOf(deploymentId)).toMatchObject({
      ...{ deploymentId, phase: 'queued' },
      health: { state: 'asleep', at, services: [api, web] },
    });
    const end = { deploymentId, environment: 'cs-dev', phase: 'succeeded', attempt: 1 } as const;
    await test.database.store.deployments.recordOutcome(end);
    const later = '2026-01-02T07:55:00.000Z';
    const services = [{ ...api, state: 'degraded', note: 'Container "app" exits with 1.' }];
    await post('health', { deploymentId, at: later, services }, notprod);
    // One that was kept while the server was away.
    await post('health', { ...first, at: '2026-01-02T03:04:04.000Z' }, notprod);
    expect(await healthOf(deploymentId)).toMatchObject({
      phase: 'succeeded',
      health: { state: 'degraded', at: later, services: [...services, web] },
    });
  });

  it('knows no deployment of another cluster', async () => {
    const deploymentId = await storeDeployment();
    const body = { deploymentId, at, services: [api] };
    expect((await post('health', body, prod)).statusCode).toBe(404);
    expect((await healthOf(deploymentId)).health).toBeNull();
  });

  it('refuses a state that there is not', async () => {
    const deploymentId = await storeDeployment();
    const body = { deploymentId, at, services: [{ ...api, state: 'green' }] };
    expect((await post('health', body, notprod)).statusCode).toBe(422);
  });
});

async function healthOf(deploymentId: string) {
  const url = `/api/v1/deployments/${deploymentId}/health`;
  const response = await test.app.inject({ url, headers: test.signedIn });
  expect(response.statusCode).toBe(200);
  return response.json<{ phase: string; health: object | null }>();
}

async function workerOf(cluster: string) {
  const { token } = await test.database.store.tokens.create({ name: `worker ${cluster}`, cluster });
  return { authorization: `Bearer ${token}` };
}

function post(
  what: 'logs' | 'plans' | 'health',
  payload: object,
  headers: { authorization: string },
) {
  return test.app.inject({ method: 'POST', url: `/api/v1/worker/${what}`, headers, payload });
}

async function storeDeployment(): Promise<string> {
  return idOf((await storeRelease(test.database.store)).deployments, 'cs-dev');
}
