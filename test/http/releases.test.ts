import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Release, ReleasePage } from '../../src/contract/api/release.ts';
import { SlipwayError } from '../../src/domain/errors.ts';
import type { EndPhase } from '../../src/domain/phases.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { idOf, someCommit, someName, storeRelease, storeRun } from '../support/records.ts';

const head = someCommit();
let test: TestApp;
beforeAll(async () => {
  test = await startTestApp({
    git: {
      head: (repository) =>
        repository === 'silent'
          ? Promise.reject(new SlipwayError('git-unreachable', 'fetching from git.internal'))
          : Promise.resolve(head),
      resolve: (_repository, commit) =>
        Promise.resolve(commit.startsWith('dead') ? undefined : commit),
    },
  });
});
afterAll(() => test.close());

async function call(method: 'GET' | 'POST', url: string, payload?: Record<string, unknown>) {
  const response = await test.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: test.signedIn,
    ...(payload ? { payload } : {}),
  });
  return { status: response.statusCode, body: response.json<Release>(), response };
}

async function list(query: string): Promise<ReleasePage> {
  const { response } = await call('GET', `/releases?${query}`);
  expect(response.statusCode).toBe(200);
  return response.json();
}

/** A release of `notprod` whose deployments have ended like this. */
async function endedRelease(ends: Record<string, EndPhase>) {
  const { store } = test.database;
  const stored = await storeRelease(store, {
    repository: 'notprod',
    environments: Object.keys(ends),
  });
  for (const [environment, phase] of Object.entries(ends)) {
    const deploymentId = idOf(stored.deployments, environment);
    await store.deployments.recordOutcome({ deploymentId, environment, phase, attempt: 1 });
  }
  return stored;
}

async function auditOf(subject: string) {
  return test.database.db
    .selectFrom('audit')
    .select(['actor', 'action', 'details'])
    .where('subject', '=', subject)
    .orderBy('id')
    .execute();
}

describe('GET /releases', () => {
  it('pages through all releases once, newest first', async () => {
    const repository = someName('paged');
    const made: string[] = [];
    for (let count = 0; count < 7; count += 1) {
      made.unshift((await storeRelease(test.database.store, { repository })).release.id);
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: ReleasePage = await list(
        `repository=${repository}&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(made);
  });

  it('filters by environment and by phase', async () => {
    const environment = someName('env');
    const { release, repository } = await storeRelease(test.database.store, {
      environments: [environment],
    });
    expect((await list(`environment=${environment}`)).items.map(({ id }) => id)).toEqual([
      release.id,
    ]);
    expect((await list(`repository=${repository}&phase=queued`)).items).toHaveLength(1);
    expect((await list(`repository=${repository}&phase=failed`)).items).toHaveLength(0);
  });

  it.each(['limit=0', 'limit=201', 'limit=x', 'cursor=x', 'phase=gone', 'unknown=1'])(
    'refuses %s',
    async (query) => {
      const { status, response } = await call('GET', `/releases?${query}`);
      expect(status).toBe(422);
      expect(response.json()).toMatchObject({ code: 'invalid', errors: [{}] });
    },
  );
});

describe('GET /releases/:id', () => {
  it('finds a release by its id and by its short number', async () => {
    const { release } = await storeRelease(test.database.store, { environments: ['b', 'a'] });
    const { body } = await call('GET', `/releases/${release.id}`);
    expect(body).toMatchObject({
      id: release.id,
      phase: 'queued',
      title: 'Bump example-api to 2.4.2',
      author: 'Ada',
      committedAt: '2026-01-02T03:04:05.000Z',
      deployments: [{ environment: 'a' }, { environment: 'b' }],
    });
    expect((await call('GET', `/releases/${release.number}`)).body).toEqual(body);
  });

  it('says why nothing of a release is under way yet', async () => {
    const { inbox, releases, polls } = test.database.store;
    const head = { repository: someName('note'), commit: someCommit() };
    const { repository } = head;
    await inbox.addHead({ ...head, ref: 'refs/heads/main' });
    const rows = (await inbox.take(100)).filter((row) => row.repository === repository);
    const ids = rows.map(({ id }) => id);
    const { release } = await releases.upsert({ ...head, kind: 'automatic', rows: ids });
    const note = async () => (await call('GET', `/releases/${release.id}`)).body.note;
    expect(await note()).toBe('Not handed over to Temporal yet.');
    await inbox.retryLater(ids, 'Temporal does not answer');
    expect(await note()).toMatch(
      /^Not handed over to Temporal yet: Temporal does not answer\. Tried again at .* UTC\.$/,
    );
    await inbox.done(ids, release.id);
    expect(await note()).toBe('Reading from git what the commit says.');
    const cause = { code: 'git-auth', sentence: 'The token is refused.' } as const;
    await polls.failed({ repository, cause });
    expect(await note()).toMatch(/^Git cannot be read since .* UTC: The token is refused\.$/);
    await storeRun(test.database.store, release, ['cs-dev'], 0);
    expect(await note()).toBe('');
  });

  it('shows only the newest deployment of each environment', async () => {
    const { release, deployments } = await storeRelease(test.database.store, {
      environments: ['a', 'b'],
    });
    const again = await storeRun(test.database.store, release, ['b'], 1);
    const { body } = await call('GET', `/releases/${release.id}`);
    expect(body.deployments.map(({ id }) => id)).toEqual([
      idOf(deployments, 'a'),
      idOf(again, 'b'),
    ]);
  });

  it.each(['999999999', 'rel_00000000-0000-7000-8000-000000000000'])(
    'finds nothing at %s',
    async (id) => {
      expect((await call('GET', `/releases/${id}`)).status).toBe(404);
    },
  );

  it.each(['0', 'x', '-1', '99999999999', "1'"])('refuses the id %s', async (id) => {
    expect((await call('GET', `/releases/${encodeURIComponent(id)}`)).status).toBe(422);
  });
});

describe('POST /releases', () => {
  it('stores the release, the order to start it and who asked', async () => {
    const commit = someCommit();
    const { status, body, response } = await call('POST', '/releases', {
      repository: 'notprod',
      commit,
    });
    expect(status).toBe(202);
    expect(response.headers.location).toBe(`/api/v1/releases/${body.id}`);
    expect(body).toMatchObject({ commit, kind: 'manual', actor: 'ada', phase: 'queued' });
    const rows = await test.database.db
      .selectFrom('inbox')
      .select(['source', 'run'])
      .where('release_id', '=', body.id)
      .execute();
    expect(rows).toEqual([{ source: 'api', run: 0 }]);
    expect(await auditOf(body.id)).toMatchObject([{ actor: 'ada', action: 'release.create' }]);
  });

  it('takes the head of the branch when no commit is named, and names the release there is', async () => {
    const first = await call('POST', '/releases', { repository: 'notprod' });
    expect(first.body.commit).toBe(head);
    const second = await call('POST', '/releases', { repository: 'notprod' });
    expect(second.status).toBe(409);
    expect(second.response.json()).toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining(`/api/v1/releases/${first.body.id}/rerun`) as string,
    });
  });

  it.each([
    [{ repository: 'nobody' }, 'no repository nobody'],
    [{ repository: 'notprod', commit: `dead${'0'.repeat(36)}` }, 'not on the branch'],
  ])('refuses %j', async (payload, detail) => {
    const { status, response } = await call('POST', '/releases', payload);
    expect(status).toBe(422);
    expect(response.json<{ detail: string }>().detail).toContain(detail);
  });

  it.each([
    [{}],
    [{ repository: 'notprod', commit: 'main' }],
    [{ repository: 'notprod', commit: 'ABC'.repeat(13) + 'A' }],
    [{ repository: 'notprod', more: true }],
  ])('refuses the body %j', async (payload) => {
    expect((await call('POST', '/releases', payload)).status).toBe(422);
  });

  it('says that it cannot now when git is away, and nothing of where git is', async () => {
    const { status, response } = await call('POST', '/releases', { repository: 'silent' });
    expect(status).toBe(503);
    expect(response.json()).toMatchObject({ code: 'git-unreachable' });
    expect(response.body).not.toContain('git.internal');
    expect(response.headers['retry-after']).toBe('5');
  });

  it.each([
    ['{', 400, 'malformed'],
    ['{"__proto__": {"repository": "notprod"}}', 400, 'malformed'],
    [`{"repository": "${'x'.repeat(1_048_576)}"}`, 413, 'too-large'],
  ])('refuses a body that it does not read', async (payload, status, code) => {
    const response = await test.app.inject({
      method: 'POST',
      url: '/api/v1/releases',
      headers: { ...test.signedIn, 'content-type': 'application/json' },
      payload,
    });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code });
    expect(response.headers['content-type']).toContain('application/problem+json');
  });
});

describe('POST /releases/:id/rerun', () => {
  it('counts the run and queues it with what was asked', async () => {
    const { release } = await endedRelease({ 'cs-dev': 'succeeded', 'cs-qa': 'failed' });
    const { status, body } = await call('POST', `/releases/${release.id}/rerun`, {
      environments: ['cs-qa'],
      force: true,
      reason: 'the image is there now',
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ runs: 1, phase: 'queued', endedAt: null });
    const [row] = await test.database.db
      .selectFrom('inbox')
      .select(['run', 'environments', 'force'])
      .where('release_id', '=', release.id)
      .execute();
    expect(row).toEqual({ run: 1, environments: ['cs-qa'], force: true });
    expect(await auditOf(release.id)).toMatchObject([
      { action: 'release.rerun', details: { run: 1, reason: 'the image is there now' } },
    ]);
    const again = await storeRun(test.database.store, release, ['cs-qa'], 1);
    const { response } = await call('GET', `/deployments/${idOf(again, 'cs-qa')}`);
    expect(response.json()).toMatchObject({
      ...{ kind: 'manual', asked: { by: 'ada', reason: 'the image is there now' } },
    });
  });

  it('is refused while a run is on its way, however many ask at once', async () => {
    const { release } = await endedRelease({ 'cs-dev': 'failed' });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => call('POST', `/releases/${release.id}/rerun`, {})),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409]);
  });

  it('is refused for an environment that the repository does not have', async () => {
    const { release } = await endedRelease({ 'cs-dev': 'failed' });
    const { status } = await call('POST', `/releases/${release.id}/rerun`, {
      environments: ['cs-dev', 'toString'],
    });
    expect(status).toBe(422);
  });

  it.each<[string, Record<string, EndPhase>, string[], number]>([
    ['after one that failed', { 'cs-dev': 'failed', 'cs-qa': 'skipped' }, ['cs-qa'], 409],
    ['with the failed one', { 'cs-dev': 'failed', 'cs-qa': 'skipped' }, ['cs-qa', 'cs-dev'], 202],
    ['after one that succeeded', { 'cs-dev': 'succeeded', 'cs-qa': 'failed' }, ['cs-qa'], 202],
    ['after one with no change', { 'cs-dev': 'unchanged', 'cs-qa': 'failed' }, ['cs-qa'], 202],
    ['after one that the release did not touch', { 'cs-qa': 'failed' }, ['cs-qa'], 202],
  ])('in an environment %s', async (_name, ends, environments, expected) => {
    const { release } = await endedRelease(ends);
    const { status, response } = await call('POST', `/releases/${release.id}/rerun`, {
      environments,
    });
    expect(status).toBe(expected);
    if (expected === 409) {
      expect(response.json<{ detail: string }>().detail).toContain('cs-qa comes after cs-dev');
    }
  });

  it('finds no release that is not there', async () => {
    expect((await call('POST', '/releases/999999999/rerun', {})).status).toBe(404);
  });
});

describe('POST /releases/:id/cancel', () => {
  it('asks for the newest run to be cancelled and notes who asked', async () => {
    const { release, repository } = await storeRelease(test.database.store);
    await storeRun(test.database.store, release, ['cs-dev'], 2);
    const { status } = await call('POST', `/releases/${release.number}/cancel`);
    expect(status).toBe(202);
    expect(test.cancelled.at(-1)).toEqual({
      repository,
      commit: release.commit,
      run: 2,
      by: 'ada',
    });
    expect(await auditOf(release.id)).toMatchObject([{ action: 'release.cancel', actor: 'ada' }]);
  });

  it('is refused when the release has ended', async () => {
    const { release } = await endedRelease({ 'cs-dev': 'failed' });
    const asked = test.cancelled.length;
    const { status, response } = await call('POST', `/releases/${release.id}/cancel`);
    expect(status).toBe(409);
    expect(response.json<{ detail: string }>().detail).toContain('failed');
    expect(test.cancelled).toHaveLength(asked);
  });

  it('is refused when nothing runs yet', async () => {
    const { release } = await storeRelease(test.database.store);
    test.cancelAnswer.value = 'not-running';
    expect((await call('POST', `/releases/${release.id}/cancel`)).status).toBe(409);
    test.cancelAnswer.value = 'cancelling';
  });
});
