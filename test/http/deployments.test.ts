import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment, EnvironmentPage } from '../../src/contract/api/environment.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { PlanDiff } from '../../src/domain/diff/plan-diff.ts';
import { idOf, logLines, someName, storeRelease } from '../support/records.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

function get(url: string, headers: Record<string, string> = {}) {
  return test.app.inject({ url: `/api/v1${url}`, headers: { ...test.signedIn, ...headers } });
}

async function storeDeployment(): Promise<string> {
  return idOf((await storeRelease(test.database.store)).deployments, 'cs-dev');
}

describe('GET /deployments/:id', () => {
  it('shows phase, cause, attempts and plan', async () => {
    const { deployments } = test.database.store;
    const id = await storeDeployment();
    const cause = { code: 'helm-locked', sentence: 'Another upgrade is on its way.' } as const;
    await deployments.recordPhase({
      deploymentId: id,
      phase: 'planning',
      attempt: 0,
      note: 'comparing',
      plan: {
        digest: 'abc',
        services: [{ name: 'api', chart: 'generic-service', chartVersion: '1.2.3' }],
      },
    });
    await deployments.recordPhase({ deploymentId: id, phase: 'applying', attempt: 1, note: '' });
    await deployments.recordPhase({
      deploymentId: id,
      phase: 'retrying',
      attempt: 1,
      note: 'again soon',
      cause,
      retryAt: '2026-01-02T03:04:05.000Z',
    });
    const response = await get(`/deployments/${id}`);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      id,
      phase: 'retrying',
      note: 'again soon',
      cause,
      attempt: 1,
      retryAt: '2026-01-02T03:04:05.000Z',
      endedAt: null,
      durationMs: null,
      plan: { digest: 'abc', services: [{ name: 'api', chartVersion: '1.2.3' }] },
      attempts: [{ number: 1, cause }],
    });
  });

  it('finds nothing where there is nothing', async () => {
    expect((await get('/deployments/999999999')).statusCode).toBe(404);
    expect((await get('/deployments/999999999/log')).statusCode).toBe(404);
  });
});

describe('POST /deployments/:id/cancel', () => {
  const cancel = (id: string) =>
    test.app.inject({
      ...{ method: 'POST', url: `/api/v1/deployments/${id}/cancel`, headers: test.signedIn },
    });

  it('asks the run of its release to cancel this one, and notes who asked', async () => {
    const { release, deployments } = await storeRelease(test.database.store);
    const deploymentId = idOf(deployments, 'cs-dev');
    const response = await cancel(deploymentId);
    expect(response.statusCode).toBe(202);
    expect(response.headers.location).toBe(`/api/v1/deployments/${deploymentId}`);
    const { repository, commit } = release;
    expect(test.cancelled.at(-1)).toEqual({ repository, commit, run: 0, by: 'ada', deploymentId });
    const audit = await test.database.db
      .selectFrom('audit')
      .select(['actor', 'action'])
      .where('subject', '=', deploymentId)
      .execute();
    expect(audit).toEqual([{ actor: 'ada', action: 'deployment.cancel' }]);
  });

  it('is refused when it has ended, when nothing runs yet, and where there is none', async () => {
    const deploymentId = await storeDeployment();
    test.cancelAnswer.value = 'not-running';
    expect((await cancel(deploymentId)).statusCode).toBe(409);
    test.cancelAnswer.value = 'cancelling';
    const end = { deploymentId, environment: 'cs-dev', phase: 'failed', attempt: 1 } as const;
    await test.database.store.deployments.recordOutcome(end);
    const asked = test.cancelled.length;
    const response = await cancel(deploymentId);
    expect(response.statusCode).toBe(409);
    expect(response.json<{ detail: string }>().detail).toContain('failed');
    expect(test.cancelled).toHaveLength(asked);
    expect((await cancel('999999999')).statusCode).toBe(404);
  });
});

describe('GET /deployments/:id/plan', () => {
  const diff: PlanDiff = {
    services: [
      {
        service: 'api',
        resources: [
          {
            ...{
              change: 'changed',
              group: 'apps',
              kind: 'Deployment',
              namespace: 'cs',
              name: 'api',
            },
            risk: 'immutable',
            fields: [
              { pointer: '/spec/replicas', before: 1, after: 2 },
              {
                pointer: '/spec/template/spec/containers/app/env/B',
                after: { name: 'B', value: '' },
              },
              { pointer: '/spec/paused', before: null },
            ],
            text: '@@ -1 +1 @@\n-  replicas: 1\n+  replicas: 2',
          },
        ],
      },
    ],
    truncated: { resources: 0, fields: 0, lines: 0 },
  };

  async function storePlan(plan: { diff?: PlanDiff }): Promise<string> {
    const deploymentId = await storeDeployment();
    const record = { deploymentId, phase: 'planning', attempt: 0, note: '' } as const;
    const services = [{ name: 'api', chart: 'charts/api' }];
    await test.database.store.deployments.recordPhase({
      ...record,
      plan: { digest: 'abc', services, ...plan },
    });
    return deploymentId;
  }

  it('shows what the deployment changes, as JSON or as a unified diff', async () => {
    const id = await storePlan({ diff });
    const json = await get(`/deployments/${id}/plan`);
    expect(json.json()).toMatchObject({ digest: 'abc', services: [{ name: 'api' }] });
    expect(json.json<{ diff: unknown }>().diff).toEqual(diff);
    const text = await get(`/deployments/${id}/plan`, { accept: 'text/plain' });
    expect(text.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(text.body).toBe(
      '--- api Deployment/api\n+++ api Deployment/api (changed, risk: immutable)\n' +
        '@@ -1 +1 @@\n-  replicas: 1\n+  replicas: 2\n',
    );
  });

  it('says so when the plan compared nothing', async () => {
    const id = await storePlan({});
    expect((await get(`/deployments/${id}/plan`)).json()).toMatchObject({ diff: null });
    const text = await get(`/deployments/${id}/plan`, { accept: 'text/plain' });
    expect(text.body).toBe('# This plan compared nothing.\n');
  });

  it('finds nothing before there is a plan', async () => {
    const response = await get(`/deployments/${await storeDeployment()}/plan`);
    expect(response.statusCode).toBe(404);
  });
});

describe('GET /deployments/:id/log', () => {
  it('reads on from where the reader was, as JSON or as text', async () => {
    const deploymentId = await storeDeployment();
    const { logs } = test.database.store;
    await logs.append(logLines(deploymentId, ['one', 'two'], { step: 'plan' }));
    await logs.append(logLines(deploymentId, ['three', '<b>four</b>']));
    const first = await get(`/deployments/${deploymentId}/log?limit=3`);
    expect(first.json()).toMatchObject({
      items: [
        { line: 1, step: 'plan', text: 'one' },
        { line: 2, text: 'two' },
        { line: 3, step: 'apply', text: 'three' },
      ],
      nextCursor: '3',
    });
    const rest = await get(`/deployments/${deploymentId}/log?after=3`, { accept: 'text/plain' });
    expect(rest.body).toBe('<b>four</b>\n');
    expect(rest.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(rest.headers['x-content-type-options']).toBe('nosniff');
    const plan = await get(`/deployments/${deploymentId}/log?step=plan`, { accept: 'text/plain' });
    expect(plan.body).toBe('one\ntwo\n');
  });

  it('refuses a step that does not exist', async () => {
    const response = await get(`/deployments/${await storeDeployment()}/log?step=sudo`);
    expect(response.statusCode).toBe(422);
  });
});

describe('GET /environments', () => {
  it('shows what runs where, in the order of the configuration, page by page', async () => {
    const { environments, deployments } = test.database.store;
    const repository = someName('repository');
    const names = ['zeta', 'alpha', 'mid'];
    await environments.sync(
      names.map((name) => ({ repository, name, cluster: 'notprod', namespace: name })),
    );
    const stored = await storeRelease(test.database.store, { repository, environments: ['alpha'] });
    await deployments.recordOutcome({
      deploymentId: idOf(stored.deployments, 'alpha'),
      environment: 'alpha',
      phase: 'succeeded',
      attempt: 1,
      services: [{ name: 'api', chart: 'generic-service', chartVersion: '1.2.3' }],
    });
    const first = (await get('/environments?limit=2')).json<EnvironmentPage>();
    expect(first.items.map(({ name }) => name)).toEqual(['zeta', 'alpha']);
    const second = await get(`/environments?cursor=${String(first.nextCursor)}`);
    expect(second.json()).toMatchObject({
      items: [{ name: 'mid', deployment: null }],
      nextCursor: null,
    });
    const alpha = (await get(`/environments/${repository}/alpha`)).json<Environment>();
    expect(alpha).toMatchObject({
      acceptedCommit: null,
      deployment: { phase: 'succeeded', commit: stored.release.commit },
      services: [{ name: 'api', chartVersion: '1.2.3', commit: stored.release.commit }],
    });
    expect(first.items[1]).toEqual(alpha);
  });

  it('finds nothing where there is nothing', async () => {
    expect((await get('/environments/nobody/nowhere')).statusCode).toBe(404);
  });
});

describe('GET /deployments/:id/why', () => {
  it('explains the cause: owner, evidence, actions, and what this deployment changed', async () => {
    const { deployments } = test.database.store;
    const id = await storeDeployment();
    const field = {
      pointer: '/spec/template/spec/containers/app/image',
      before: 'a:1',
      after: 'a:2',
    };
    const resource = { change: 'changed', group: 'apps', kind: 'Deployment', name: 'api' } as const;
    const diff: PlanDiff = {
      services: [
        {
          service: 'api',
          resources: [
            {
              ...resource,
              namespace: 'cs-dev',
              fields: [field, { ...field, hidden: true }],
              text: '',
            },
          ],
        },
      ],
      truncated: { resources: 0, fields: 0, lines: 0 },
    };
    const plan = { digest: 'abc', services: [{ name: 'api', chart: 'generic-service' }], diff };
    const planning = { deploymentId: id, phase: 'planning', attempt: 0, note: '' } as const;
    await deployments.recordPhase({ ...planning, plan });
    const cause = {
      code: 'crash-loop' as const,
      sentence: 'Container "app" of api exits with code 1.',
      ...{ service: 'api', workload: 'Deployment/api', pod: 'api-1', container: 'app' },
      ...{ evidence: ['log of app (previous run): no such host'], actions: ['Read the log.'] },
    };
    await deployments.recordOutcome({
      ...{ deploymentId: id, environment: 'cs-dev', phase: 'failed', attempt: 1 },
      cause,
    });
    const response = await get(`/deployments/${id}/why`);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      deploymentId: id,
      phase: 'failed',
      attempt: 1,
      why: {
        ...cause,
        owner: 'app',
        changed: [
          'Deployment/api /spec/template/spec/containers/app/image: a:1 → a:2',
          'Deployment/api /spec/template/spec/containers/app/image: changed (hidden)',
        ],
      },
    });
  });

  it('has nothing to explain while nothing is wrong', async () => {
    const id = await storeDeployment();
    expect((await get(`/deployments/${id}/why`)).json()).toMatchObject({
      phase: 'queued',
      why: null,
    });
  });
});
