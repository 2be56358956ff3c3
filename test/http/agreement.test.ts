import { afterAll, beforeAll, expect, it } from 'vitest';
import { OBSERVED_DIGEST } from '../../src/contract/plan-sink.ts';
import type { Agreement, AgreementReport } from '../../src/contract/api/agreement.ts';
import type { Observation } from '../../src/domain/observe/agreement.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { someCommit, someName } from '../support/records.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  const places = (['observe', 'deploy'] as const).map((mode) => ({
    ...{ repository: 'notprod', name: mode, cluster: 'notprod', namespace: mode, mode },
  }));
  await test.database.store.environments.sync(places);
});
afterAll(() => test.close());

const agreed: Observation = {
  verdict: 'agreed',
  services: [{ service: 'api', result: 'agreed', note: 'went from revision 4 to 5' }],
};
const disagreed: Observation = {
  verdict: 'disagreed',
  services: [{ service: 'api', result: 'not-done', note: 'was to change (input changed)' }],
};

it('says how often both agreed, newest first, and what differed', async () => {
  const first = await deployment('observe', agreed);
  const second = await deployment('observe', disagreed);
  const third = await deployment('observe');
  const body = (await get('environments/notprod/observe/agreement')).body as AgreementReport;
  expect(body).toMatchObject({ agreed: 1, disagreed: 1, unchanged: 0, notCompared: 1 });
  expect(body.items.map(({ deployment: { id }, verdict }) => [id, verdict])).toEqual([
    [third, 'not-compared'],
    [second, 'disagreed'],
    [first, 'agreed'],
  ]);
  expect(body.items[1]).toMatchObject({
    services: disagreed.services,
    deployment: { mode: 'observe', phase: 'skipped' },
  });
  const limited = await get('environments/notprod/observe/agreement?limit=1');
  expect(limited.body).toMatchObject({ agreed: 0, disagreed: 0, notCompared: 1 });
});

it('shows what differs beside the commit, apart from what the plan was to change', async () => {
  const id = await deployment('observe', disagreed);
  const diff = { services: [], truncated: { resources: 0, fields: 0, lines: 0 } };
  const { deployments } = test.database.store;
  await deployments.storePlanDiff({ deploymentId: id, digest: OBSERVED_DIGEST, diff });
  const body = (await get(`deployments/${id}/agreement`)).body as Agreement;
  expect(body).toMatchObject({ deploymentId: id, verdict: 'disagreed', diff });
  expect(body.services).toEqual(disagreed.services);
});

it('says that nothing can be rolled back where another pipeline deploys', async () => {
  const response = await test.app.inject({
    ...{ method: 'POST', url: '/api/v1/environments/notprod/observe/rollback' },
    ...{ headers: test.signedIn, payload: { to: '1', reason: 'Orders fail' } },
  });
  expect(response.statusCode).toBe(409);
  expect(response.json<{ detail: string }>().detail).toContain('observed only');
});

it('is of observed deployments only', async () => {
  const id = await deployment('deploy');
  expect((await get(`deployments/${id}/agreement`)).status).toBe(404);
  const body = (await get('environments/notprod/deploy/agreement')).body as AgreementReport;
  expect(body.items).toEqual([]);
  expect((await get('environments/notprod/none/agreement')).status).toBe(404);
  const { body: environment } = await get('environments/notprod/observe');
  expect(environment).toMatchObject({ mode: 'observe' });
});

/** A deployment that has ended, where it was observed with this outcome. */
async function deployment(mode: 'observe' | 'deploy', observation?: Observation): Promise<string> {
  const { releases, deployments } = test.database.store;
  const commit = someCommit();
  const { release } = await releases.upsert({ repository: 'notprod', commit, kind: 'automatic' });
  const target = { repository: 'notprod', environment: mode, cluster: 'notprod' };
  const [created] = await deployments.createForRun({
    ...{
      releaseId: release.id,
      kind: 'automatic',
      run: 0,
      title: '',
      author: '',
      committedAt: '2026-01-01T00:00:00Z',
    },
    targets: [{ ...target, namespace: someName('namespace'), mode }],
  });
  const id = created?.deploymentId ?? '';
  if (!observation) return id;
  const phase = observation.verdict === 'agreed' ? 'succeeded' : 'skipped';
  const outcome = { deploymentId: id, environment: mode, phase, attempt: 1, observation } as const;
  await deployments.recordOutcome(outcome);
  // As Temporal does when the answer was lost.
  await deployments.recordOutcome(outcome);
  return id;
}

async function get(path: string) {
  const response = await test.app.inject({ url: `/api/v1/${path}`, headers: test.signedIn });
  return { status: response.statusCode, body: response.json<unknown>() };
}
