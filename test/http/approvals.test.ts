import { afterAll, beforeAll, expect, it } from 'vitest';
import type {
  ApprovalRequest,
  ApprovalRequestPage,
} from '../../src/contract/api/approval-request.ts';
import type { TokenPerson } from '../../src/adapters/postgres/tokens.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { idOf, someName, storeRelease } from '../support/records.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

const DIGEST = 'sha256:ab';
const UNTIL = '2999-01-02T00:00:00.000Z';

/** A deployment that waits for two release managers. */
async function waiting(repository: string, change: { until?: string } = {}) {
  const stored = await storeRelease(test.database.store, { repository });
  const id = idOf(stored.deployments, 'cs-dev');
  await test.database.store.deployments.recordPhase({
    ...{ deploymentId: id, phase: 'waiting', attempt: 1, note: 'Waiting for approval', order: 1 },
    plan: {
      digest: DIGEST,
      services: [
        { name: 'a', chart: 'charts/a', action: 'install' },
        { name: 'b', chart: 'charts/b', action: 'upgrade' },
        { name: 'c', chart: 'charts/c', action: 'upgrade' },
        { name: 'd', chart: 'charts/d', action: 'uninstall' },
      ],
      restart: ['deployment/frontend'],
    },
    waiting: {
      ...{ reason: 'approval', sentence: 'Waiting for approval.', digest: DIGEST, count: 2 },
      ...{ groups: ['release-managers'], since: '2026-01-02T00:00:00.000Z', until: UNTIL },
      ...change,
    },
  });
  return { ...stored, id };
}

async function headersOf(person: Partial<TokenPerson>) {
  const owner = { person: someName('person'), groups: ['release-managers'], ...person };
  const { token } = await test.database.store.tokens.create({ name: 'laptop', person: owner });
  return { authorization: `Bearer ${token}` };
}

async function list(
  headers: { authorization: string },
  query: Record<string, string>,
): Promise<ApprovalRequestPage> {
  const url = `/api/v1/approvals?${new URLSearchParams(query).toString()}`;
  const response = await test.app.inject({ url, headers });
  expect(response.statusCode).toBe(200);
  return response.json<ApprovalRequestPage>();
}

async function youOf(headers: { authorization: string }, repository: string) {
  return (await list(headers, { repository })).items.map(({ you }) => you);
}

function vote(id: string, headers: { authorization: string }, verb: 'approve' | 'reject') {
  const url = `/api/v1/deployments/${id}/${verb}`;
  return test.app.inject({ method: 'POST', url, headers, payload: { digest: DIGEST } });
}

it('says what waits, how much it changes, what is missing and until when', async () => {
  const repository = someName('shown');
  const { id, release } = await waiting(repository);
  await vote(id, await headersOf({ person: 'ada' }), 'approve');
  const { items, nextCursor } = await list(await headersOf({}), { repository });
  expect(nextCursor).toBeNull();
  expect(items).toEqual<unknown>([
    {
      deployment: expect.objectContaining({
        ...{ id, repository, environment: 'cs-dev', commit: release.commit, phase: 'waiting' },
        ...{ title: 'Bump example-api to 2.4.2', releaseNumber: release.number },
      }),
      plan: { digest: DIGEST, install: 1, upgrade: 2, uninstall: 1, restart: 1 },
      ...{ groups: ['release-managers'], required: 2, missing: 1 },
      approvals: [expect.objectContaining({ person: 'ada', verdict: 'approved', digest: DIGEST })],
      ...{ since: '2026-01-02T00:00:00.000Z', expiresAt: UNTIL },
      you: { mayApprove: true, why: null },
    } satisfies Record<keyof ApprovalRequest, unknown>,
  ]);
});

it('says to each person whether they may, and why not', async () => {
  const repository = someName('you');
  const { id, release } = await waiting(repository);
  const { commit } = release;
  const pushers = [{ forgeUser: 'github:4711', login: 'author' }];
  await test.database.store.releases.upsert({ repository, commit, kind: 'automatic', pushers });
  const author = await headersOf({ forgeUser: 'github:4711' });
  const done = await headersOf({});
  await vote(id, done, 'approve');
  const no = (why: unknown) => [{ mayApprove: false, why }];
  expect(await youOf(await headersOf({}), repository)).toEqual([{ mayApprove: true, why: null }]);
  expect(await youOf(await headersOf({ groups: ['devs'] }), repository)).toEqual(
    no('Only release-managers may approve this.'),
  );
  expect(await youOf(author, repository)).toEqual(
    no('Who pushed or merged a change cannot approve it.'),
  );
  expect(await youOf(done, repository)).toEqual(no('You have approved it already.'));
  expect(await youOf(test.signedIn, repository)).toEqual(
    no(expect.stringContaining('belongs to no person')),
  );
  const late = someName('late');
  await waiting(late, { until: '2020-01-01T00:00:00.000Z' });
  expect(await youOf(done, late)).toEqual(no('Its approval has expired.'));
});

it('what is listed is what the approval itself answers', async () => {
  const repository = someName('same');
  const { id, release } = await waiting(repository);
  const pushers = [{ forgeUser: 'github:12', login: 'author' }];
  const { commit } = release;
  await test.database.store.releases.upsert({ repository, commit, kind: 'automatic', pushers });
  for (const person of [{}, { groups: [] }, { forgeUser: 'github:12' }, { forgeUser: 'x:1' }]) {
    const headers = await headersOf(person);
    const [you] = await youOf(headers, repository);
    expect((await vote(id, headers, 'approve')).statusCode).toBe(you?.mayApprove ? 200 : 403);
  }
});

it('pages from the oldest on, filters, and leaves out what waits no more', async () => {
  const repository = someName('paged');
  const ids = [await waiting(repository), await waiting(repository), await waiting(repository)];
  const gone = ids[1]?.id ?? '';
  const headers = await headersOf({});
  const first = await list(headers, { repository, limit: '2' });
  expect(first.items.map(({ deployment }) => deployment.id)).toEqual([ids[0]?.id, gone]);
  const second = await list(headers, { repository, limit: '2', cursor: first.nextCursor ?? '' });
  expect(second.items.map(({ deployment }) => deployment.id)).toEqual([ids[2]?.id]);
  const end = { environment: 'cs-dev', attempt: 1, phase: 'superseded' } as const;
  await test.database.store.deployments.recordOutcome({ ...end, deploymentId: gone });
  const left = await list(headers, { repository, environment: 'cs-dev' });
  expect(left.items.map(({ deployment }) => deployment.id)).toEqual([ids[0]?.id, ids[2]?.id]);
  expect((await list(headers, { repository, environment: 'cs-qa' })).items).toEqual([]);
});

it('an approval that its person may not give does not count', async () => {
  const repository = someName('counted');
  const { id, release } = await waiting(repository);
  const author = await headersOf({ forgeUser: 'github:77' });
  expect((await vote(id, author, 'approve')).statusCode).toBe(200);
  const pushers = [{ forgeUser: 'github:77', login: 'author' }];
  const { commit } = release;
  await test.database.store.releases.upsert({ repository, commit, kind: 'automatic', pushers });
  const { items } = await list(await headersOf({}), { repository });
  expect(items).toMatchObject([{ missing: 2, approvals: [] }]);
});
