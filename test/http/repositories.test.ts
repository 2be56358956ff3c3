import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { someCommit } from '../support/records.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

async function get(url: string) {
  const response = await test.app.inject({ method: 'GET', url, headers: test.signedIn });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}

it('repositories are listed in the order of the configuration', async () => {
  const { body } = await get('/api/v1/repositories');
  expect(body).toMatchObject({
    items: [{ name: 'notprod' }, { name: 'silent' }],
    nextCursor: null,
  });
});

it('a repository shows what was seen of its branch, and what waits to come in', async () => {
  const { polls, inbox } = test.database.store;
  expect((await get('/api/v1/repositories/notprod')).body).toEqual({
    name: 'notprod',
    url: 'https://github.com/example/deployments-notprod.git',
    branch: 'main',
    pollEveryMs: null,
    ...{ polledAt: null, head: null, trouble: null },
    inbox: { waiting: 0, parked: 0 },
  });
  const commit = someCommit();
  await polls.succeeded({ repository: 'notprod', commit });
  await inbox.addHead({ repository: 'notprod', ref: 'refs/heads/main', commit });
  const cause = { code: 'git-auth' as const, sentence: 'The token expired.' };
  await polls.failed({ repository: 'notprod', cause });
  expect((await get('/api/v1/repositories/notprod')).body).toMatchObject({
    head: { commit, releaseId: null },
    trouble: cause,
    inbox: { waiting: 1, parked: 0 },
  });
});

it('a repository that is not configured is not found', async () => {
  expect((await get('/api/v1/repositories/none')).status).toBe(404);
});

it('a person can have a branch looked at now, and that is on record', async () => {
  const response = await test.app.inject({
    method: 'POST',
    url: '/api/v1/repositories/silent/poll',
    headers: test.signedIn,
  });
  expect(response.statusCode).toBe(202);
  const entry = response.json<{ id: string }>();
  expect(entry).toMatchObject({ source: 'poll', repository: 'silent', state: 'waiting' });
  expect((await get(response.headers.location ?? '')).body).toEqual(entry);
  const audit = await test.database.db
    .selectFrom('audit')
    .select(['actor', 'action'])
    .where('subject', '=', 'silent')
    .execute();
  expect(audit).toEqual([{ actor: 'ada', action: 'repository.poll' }]);
});
