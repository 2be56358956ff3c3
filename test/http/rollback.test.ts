import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deployment } from '../../src/contract/api/deployment.ts';
import type { Environment } from '../../src/contract/api/environment.ts';
import type { Release } from '../../src/contract/api/release.ts';
import type { EndPhase } from '../../src/domain/phases.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { idOf, someName, storeRelease, storeRun, type StoredRelease } from '../support/records.ts';

let test: TestApp;
/** A repository with the environments cs-dev and cs-prod, new for each test. */
let repository: string;
beforeAll(async () => {
  test = await startTestApp();
});
beforeEach(async () => {
  repository = someName('deployments');
  await test.database.store.environments.sync(
    ['cs-dev', 'cs-prod'].map((name) => ({
      ...{ repository, name, cluster: 'notprod', namespace: `${repository}-${name}` },
    })),
  );
});
afterAll(() => test.close());

async function rollBack(payload: Record<string, unknown>, name = 'cs-dev') {
  const response = await test.app.inject({
    method: 'POST',
    url: `/api/v1/environments/${repository}/${name}/rollback`,
    headers: test.signedIn,
    payload: { reason: 'Orders fail', ...payload },
  });
  return { status: response.statusCode, response, body: response.json<Release>() };
}

function detailOf({ response }: Awaited<ReturnType<typeof rollBack>>): string {
  return response.json<{ detail: string }>().detail;
}

async function environment(name = 'cs-dev'): Promise<Environment> {
  const url = `/api/v1/environments/${repository}/${name}`;
  return (await test.app.inject({ url, headers: test.signedIn })).json();
}

async function deployment(id: string): Promise<Deployment> {
  const url = `/api/v1/deployments/${id}`;
  return (await test.app.inject({ url, headers: test.signedIn })).json();
}

/** A release whose deployments ended like this; those without an end are on their way. */
async function released(ends: Record<string, EndPhase | 'active'>): Promise<StoredRelease> {
  const { store } = test.database;
  const stored = await storeRelease(store, { repository, environments: Object.keys(ends) });
  for (const [environment, phase] of Object.entries(ends)) {
    if (phase === 'active') continue;
    const deploymentId = idOf(stored.deployments, environment);
    await store.deployments.recordOutcome({ deploymentId, environment, phase, attempt: 1 });
  }
  return stored;
}

describe('POST /environments/:repository/:name/rollback', () => {
  it('orders the earlier release for this environment alone, and holds it from now on', async () => {
    const { release } = await released({ 'cs-dev': 'succeeded', 'cs-prod': 'succeeded' });
    await released({ 'cs-dev': 'succeeded' });
    const { status, body, response } = await rollBack({ to: String(release.number) });
    expect(status).toBe(202);
    expect(response.headers.location).toBe(`/api/v1/releases/${release.id}`);
    expect(body).toMatchObject({ id: release.id, phase: 'queued', runs: 1, endedAt: null });
    const orders = await test.database.db
      .selectFrom('inbox')
      .select(['source', 'run', 'kind', 'environments', 'force'])
      .where('release_id', '=', release.id)
      .execute();
    expect(orders).toEqual([
      { source: 'api', run: 1, kind: 'rollback', environments: ['cs-dev'], force: false },
    ]);
    const reason = `Rolled back to release #${release.number} (${release.commit.slice(0, 8)}): Orders fail`;
    expect((await environment()).hold).toMatchObject({ by: 'ada', reason, until: null });
    expect((await environment('cs-prod')).hold).toBeNull();
  });

  it('stands in the audit with who and why, beside the hold', async () => {
    const { release } = await released({ 'cs-dev': 'succeeded' });
    await rollBack({ to: release.id });
    const { id, number, commit } = release;
    const rows = await test.database.db
      .selectFrom('audit')
      .select(['actor', 'action', 'details'])
      .where('subject', '=', `${repository}/cs-dev`)
      .orderBy('id')
      .execute();
    expect(rows).toMatchObject([
      { actor: 'ada', action: 'environment.hold' },
      {
        ...{ actor: 'ada', action: 'environment.rollback' },
        details: { release: id, number, commit, run: 1, reason: 'Orders fail' },
      },
    ]);
  });

  it('is named by its deployment, with who asked and why; a merge has nobody', async () => {
    const { release, deployments } = await released({ 'cs-dev': 'succeeded' });
    await rollBack({ to: release.id });
    const back = await storeRun(test.database.store, release, ['cs-dev'], 1, 'rollback');
    expect(await deployment(idOf(back, 'cs-dev'))).toMatchObject({
      ...{ kind: 'rollback', releaseNumber: release.number, commit: release.commit },
      asked: { by: 'ada', reason: 'Orders fail' },
    });
    expect(await deployment(idOf(deployments, 'cs-dev'))).toMatchObject({
      ...{ kind: 'automatic', asked: null },
    });
  });

  it('takes the place of a hold that would end by itself', async () => {
    const { release } = await released({ 'cs-dev': 'unchanged' });
    const hold = { reason: 'lunch', until: '2999-01-01T00:00:00Z', actor: 'bob', requestId: 'r' };
    await test.database.store.holds.hold({ repository, name: 'cs-dev', ...hold });
    expect((await rollBack({ to: release.id })).status).toBe(202);
    expect((await environment()).hold).toMatchObject({ by: 'ada', until: null });
  });

  it.each<[string, (stored: StoredRelease) => string]>([
    ['the id', ({ release }) => release.id],
    ['the commit', ({ release }) => release.commit],
    ['the id of its deployment', ({ deployments }) => idOf(deployments, 'cs-dev')],
  ])('is named by %s too', async (_what, to) => {
    const stored = await released({ 'cs-dev': 'succeeded' });
    expect((await rollBack({ to: to(stored) })).body.id).toBe(stored.release.id);
  });

  it('goes ahead while the release waits in another environment, and a cancel reaches both', async () => {
    const { release } = await released({ 'cs-dev': 'succeeded', 'cs-prod': 'active' });
    expect((await rollBack({ to: release.id })).status).toBe(202);
    await storeRun(test.database.store, release, ['cs-dev'], 1);
    const url = `/api/v1/releases/${release.id}/cancel`;
    await test.app.inject({ method: 'POST', url, headers: test.signedIn });
    expect(test.cancelled.slice(-2)).toMatchObject([{ run: 1 }, { run: 0 }]);
  });

  it('is refused for a release that was never good here, and names those that were', async () => {
    const good = await released({ 'cs-dev': 'succeeded' });
    const bad = await released({ 'cs-dev': 'failed', 'cs-prod': 'succeeded' });
    const refused = await rollBack({ to: bad.release.id });
    expect(refused.status).toBe(409);
    const { number, commit } = good.release;
    expect(detailOf(refused)).toBe(
      `Release #${bad.release.number} never succeeded in ${repository}/cs-dev. The newest that did: #${number} (${commit.slice(0, 8)}).`,
    );
    expect((await environment()).hold).toBeNull();
  });

  it('says what to do where nothing was ever good', async () => {
    const { release } = await released({ 'cs-dev': 'failed' });
    expect(detailOf(await rollBack({ to: release.id }))).toContain('revert the commit in git');
  });

  it('is refused while the release is on its way here, however many ask at once', async () => {
    const { release } = await released({ 'cs-dev': 'succeeded' });
    const answers = await Promise.all([1, 2, 3, 4].map(() => rollBack({ to: release.id })));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409]);
    await storeRun(test.database.store, release, ['cs-dev'], 1);
    expect(detailOf(await rollBack({ to: release.id }))).toContain('is on its way');
  });

  it('finds no release of elsewhere, and no environment that is not there', async () => {
    const elsewhere = await storeRelease(test.database.store);
    for (const to of [elsewhere.release.id, String(elsewhere.release.number), '999999999']) {
      expect((await rollBack({ to })).status).toBe(404);
    }
    expect((await rollBack({ to: elsewhere.release.id }, 'cs-none')).status).toBe(404);
  });

  it.each([{}, { to: 'main' }, { to: '0' }, { to: '1', reason: '' }, { to: '1', force: true }])(
    'refuses the body %j',
    async (payload) => {
      expect((await rollBack(payload)).status).toBe(422);
    },
  );
});
