import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deployment } from '../../src/contract/api/deployment.ts';
import { judgeApproval } from '../../src/domain/gates/judge-approval.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { until } from '../support/until.ts';
import { idOf, someName, storeRelease, storeRun, type StoredRelease } from '../support/records.ts';

let test: TestApp;
const tokens = new Map<string, string>();
beforeAll(async () => {
  test = await startTestApp();
  for (const [number, person] of ['ada', 'bob', 'eve', 'kim'].entries()) {
    const groups = person === 'kim' ? ['devs'] : ['release-managers'];
    const forgeUser = `github:${number + 1}`;
    const made = await test.database.store.tokens.create({
      ...{ name: `laptop of ${person}`, person: { person, groups, forgeUser } },
    });
    tokens.set(person, made.token);
  }
});
afterAll(() => test.close());
beforeEach(() => {
  test.woken.length = 0;
});

async function call(
  person: string | undefined,
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  payload?: Record<string, unknown>,
) {
  const authorization = person ? `Bearer ${tokens.get(person) ?? ''}` : undefined;
  const response = await test.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: authorization ? { authorization } : test.signedIn,
    ...(payload ? { payload } : {}),
  });
  const body = response.body === '' ? undefined : response.json<Record<string, never>>();
  return { status: response.statusCode, headers: response.headers, body };
}

/** Calls again as long as the answer is to come back later. */
async function untilTaken(ask: () => ReturnType<typeof call>) {
  const answers = [await ask()];
  while (answers.at(-1)?.status === 503) answers.push(await ask());
  return answers;
}

/** How many connections wait for a lock in this file's database. */
async function waitForRows(): Promise<number> {
  const { count } = await test.database.db
    .selectFrom(sql<{ datname: string; wait_event_type: string }>`pg_stat_activity`.as('activity'))
    .select((is) => is.fn.countAll<string>().as('count'))
    .where('wait_event_type', '=', 'Lock')
    .where('datname', '=', sql<string>`current_database()`)
    .executeTakeFirstOrThrow();
  return Number(count);
}

const DIGEST = 'sha256:ab';
const policy = { count: 2, from: ['release-managers'] };

/** A deployment that waits for approval of a plan. */
async function waiting(digest = DIGEST, repository?: string) {
  const stored = await storeRelease(test.database.store, repository ? { repository } : {});
  const id = idOf(stored.deployments, 'cs-dev');
  await ask(id, digest);
  return { ...stored, id };
}

function ask(deploymentId: string, digest: string, order = 1) {
  return test.database.store.deployments.recordPhase({
    ...{ deploymentId, phase: 'waiting', attempt: 1, note: 'Waiting for approval', order },
    plan: { digest, services: [] },
    waiting: { reason: 'approval', sentence: 'Waiting.', digest, groups: policy.from },
  });
}

function decide(deploymentId: string, digest = DIGEST) {
  const plan = { digest, since: '2026-01-01T00:00:00.000Z' };
  return test.database.store.approvals.decide({ deploymentId, digest }, (verdicts) =>
    judgeApproval(policy, plan, verdicts, '2026-01-01T00:00:01.000Z'),
  );
}

const approve = (person: string | undefined, id: string, digest = DIGEST) =>
  call(person, 'POST', `/deployments/${id}/approve`, { digest });

describe('approving a plan', () => {
  it('counts each person once, however often and at once they approve', async () => {
    const { id } = await waiting();
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        // A busy server may put somebody off, and nothing else.
        const answers = await untilTaken(() => approve(index % 2 ? 'ada' : 'bob', id));
        expect(answers.at(-1)?.status).toBe(200);
        for (const { headers } of answers.slice(0, -1)) expect(headers['retry-after']).toBe('5');
      }),
    );
    const noted = await test.database.db
      .selectFrom('audit')
      .select('actor')
      .where('subject', '=', id)
      .orderBy('actor')
      .execute();
    expect(noted).toEqual([{ actor: 'ada' }, { actor: 'bob' }]);
    const { body } = await call('ada', 'GET', `/deployments/${id}`);
    const { approvals } = body as unknown as Deployment;
    expect(approvals.map(({ person }) => person).sort()).toEqual(['ada', 'bob']);
    expect(test.woken.length).toBeGreaterThan(0);
    expect(await decide(id)).toEqual({ answer: 'approved' });
    // Asked again by the next attempt it is still approved, and nobody can take it back.
    expect(await decide(id)).toEqual({ answer: 'approved' });
    const late = await call('eve', 'POST', `/deployments/${id}/reject`, { digest: DIGEST });
    expect(late.status).toBe(409);
  });

  it('of a deployment that is busy holds up nothing else', async () => {
    const { id } = await waiting();
    let release: () => void = () => undefined;
    let isLocked = false;
    const busy = test.database.db.transaction().execute(async (tx) => {
      await tx.selectFrom('deployments').select('id').where('id', '=', id).forUpdate().execute();
      isLocked = true;
      await new Promise<void>((resolve) => (release = resolve));
    });
    await until(() => isLocked);
    const answers = Promise.all(Array.from({ length: 30 }, () => approve('ada', id)));
    try {
      await until(async () => (await waitForRows()) > 0);
      expect((await call('bob', 'GET', '/releases')).status).toBe(200);
      // All the others wait for that one, and not in PostgreSQL.
      expect(await waitForRows()).toBe(1);
    } finally {
      release();
      await busy;
    }
    expect(new Set((await answers).map(({ status }) => status))).not.toContain(500);
  });

  it('is for people of the groups that are asked', async () => {
    const { id } = await waiting();
    expect((await approve(undefined, id)).status).toBe(403);
    expect(await approve('kim', id)).toMatchObject({
      ...{ status: 403, body: { detail: 'Only release-managers may approve this.' } },
    });
    expect(await decide(id)).toMatchObject({ answer: 'wait' });
  });

  it('is refused for another plan than the one that waits', async () => {
    const { id } = await waiting();
    await approve('ada', id);
    await ask(id, 'sha256:cd', 2);
    expect(await approve('bob', id)).toMatchObject({ status: 412, body: { code: 'plan-stale' } });
    expect((await approve('bob', id, 'sha256:cd')).status).toBe(200);
    expect(await decide(id, 'sha256:cd')).toMatchObject({
      waiting: { sentence: 'Waiting for approval: 1 of 2 from release-managers.' },
    });
  });

  it('is refused after the end', async () => {
    const { id } = await waiting();
    const end = { deploymentId: id, environment: 'cs-dev', attempt: 1 } as const;
    await test.database.store.deployments.recordOutcome({ ...end, phase: 'cancelled' });
    expect((await approve('ada', id)).status).toBe(409);
  });

  it('is not for who pushed the change or one that it brings along, and counts no more for who becomes so', async () => {
    const repository = someName('authors');
    const first = await waiting(DIGEST, repository);
    await pushedBy(1, first);
    expect(await approve('ada', first.id)).toMatchObject({
      ...{ status: 403, body: { detail: 'Who pushed or merged a change cannot approve it.' } },
    });
    expect((await approve('bob', first.id)).status).toBe(200);
    const second = await waiting(DIGEST, repository);
    await pushedBy(2, second);
    expect((await approve('ada', second.id)).status).toBe(403);
    expect(await decide(second.id)).toMatchObject({
      waiting: { sentence: 'Waiting for approval: 0 of 2 from release-managers.' },
    });
  });

  it('is not for who pushed what a rollback took back and the next change brings again', async () => {
    const repository = someName('again');
    const { recordOutcome } = test.database.store.deployments;
    const good = { environment: 'cs-dev', attempt: 1, phase: 'succeeded' } as const;
    const first = await waiting(DIGEST, repository);
    await recordOutcome({ ...good, deploymentId: first.id });
    const second = await waiting(DIGEST, repository);
    await pushedBy(1, second);
    await recordOutcome({ ...good, deploymentId: second.id });
    const back = await storeRun(test.database.store, first.release, ['cs-dev'], 1);
    await recordOutcome({ ...good, deploymentId: idOf(back, 'cs-dev') });
    const third = await waiting(DIGEST, repository);
    expect((await approve('ada', third.id)).status).toBe(403);
    expect((await approve('bob', third.id)).status).toBe(200);
  });

  it('passes on to a newer commit with the same plan, and serves one deployment only', async () => {
    const repository = someName('heirs');
    const first = await waiting(DIGEST, repository);
    await approve('ada', first.id);
    await approve('bob', first.id);
    const end = { environment: 'cs-dev', attempt: 1 } as const;
    const { recordOutcome } = test.database.store.deployments;
    await recordOutcome({ ...end, deploymentId: first.id, phase: 'superseded' });
    const second = await waiting(DIGEST, repository);
    expect(await decide(second.id)).toEqual({ answer: 'approved' });
    await recordOutcome({ ...end, deploymentId: second.id, phase: 'succeeded' });
    const third = await waiting(DIGEST, repository);
    expect(await decide(third.id)).toMatchObject({ answer: 'wait' });
  });

  it('is outweighed by a rejection, which names who and why', async () => {
    const { id } = await waiting();
    await approve('ada', id);
    await approve('bob', id);
    const body = { digest: DIGEST, comment: 'Not today' };
    expect((await call('eve', 'POST', `/deployments/${id}/reject`, body)).status).toBe(200);
    expect(await decide(id)).toMatchObject({ cause: { sentence: 'Rejected by eve: Not today.' } });
  });
});

/** A push of this forge user led to the release. */
async function pushedBy(sender: number, { release }: StoredRelease): Promise<void> {
  const { repository, commit } = release;
  const pushers = [{ forgeUser: `github:${sender}`, login: 'somebody' }];
  await test.database.store.releases.upsert({ repository, commit, kind: 'automatic', pushers });
}

describe('stops, freezes and overrides', () => {
  const at = { repository: 'notprod', environment: 'cs-dev', cluster: 'notprod' };
  const factsOf = (deploymentId: string, now = new Date().toISOString()) =>
    test.database.store.gates.facts({ ...at, deploymentId, now });

  it('a stop is in force for its cluster until it is removed, and wakes who waits', async () => {
    const { id } = await waiting();
    const made = await call('ada', 'POST', '/stops', { cluster: 'notprod', reason: 'Outage' });
    expect(made).toMatchObject({ status: 201, body: { cluster: 'notprod', by: 'ada' } });
    const again = await call('bob', 'POST', '/stops', { cluster: 'notprod', reason: 'x' });
    expect(again.status).toBe(409);
    await call('ada', 'POST', '/stops', { cluster: 'elsewhere', reason: 'x' });
    expect((await factsOf(id)).stops).toMatchObject([{ cluster: 'notprod', reason: 'Outage' }]);
    test.woken.length = 0;
    const stopId = String(made.body?.id);
    expect((await call('bob', 'DELETE', `/stops/${stopId}`)).status).toBe(204);
    expect((await call('bob', 'DELETE', `/stops/${stopId}`)).status).toBe(404);
    expect(test.woken.length).toBeGreaterThan(0);
    expect((await factsOf(id)).stops).toEqual([]);
  });

  it('a freeze is in force from its start to its end, in its scope', async () => {
    const { id } = await waiting();
    const day = { from: '2999-12-24T00:00:00.000Z', until: '2999-12-27T00:00:00.000Z' };
    const made = await call('ada', 'POST', '/freezes', {
      ...{ repository: 'notprod', environment: 'cs-dev', reason: 'Christmas', ...day },
    });
    expect(made.status).toBe(201);
    const elsewhere = { cluster: 'elsewhere', reason: 'x', until: day.until };
    expect((await call('ada', 'POST', '/freezes', elsewhere)).status).toBe(201);
    expect((await factsOf(id, '2999-12-23T23:59:59.000Z')).freezes).toEqual([]);
    expect((await factsOf(id, day.from)).freezes).toEqual([
      { reason: 'Christmas', by: 'ada', until: day.until },
    ]);
    expect((await factsOf(id, day.until)).freezes).toEqual([]);
    await call('ada', 'DELETE', `/freezes/${String(made.body?.id)}`);
    expect((await factsOf(id, day.from)).freezes).toEqual([]);
  });

  it('an override needs a person and a reason, and is in the audit', async () => {
    const { id } = await waiting();
    const url = `/deployments/${id}/override`;
    const body = { gate: 'freeze', reason: 'Security fix' };
    expect((await call(undefined, 'POST', url, body)).status).toBe(403);
    expect((await call('ada', 'POST', url, { gate: 'hold', reason: 'x' })).status).toBe(422);
    expect((await call('ada', 'POST', url, body)).status).toBe(200);
    expect((await factsOf(id)).overridden).toEqual(['freeze']);
    const rows = await test.database.db
      .selectFrom('audit')
      .select(['actor', 'action', 'details'])
      .where('subject', '=', id)
      .execute();
    expect(rows).toEqual([{ actor: 'ada', action: 'deployment.override', details: body }]);
  });

  it.each([
    [{ until: '2020-01-01T00:00:00Z', reason: 'x' }],
    [{ until: '2999-01-01T00:00:00Z', from: '2999-01-02T00:00:00Z', reason: 'x' }],
    [{ until: '2999-01-01T00:00:00Z', environment: 'cs-dev', reason: 'x' }],
    [
      {
        until: '2999-01-01T00:00:00Z',
        cluster: 'a',
        repository: 'b',
        environment: 'c',
        reason: 'x',
      },
    ],
  ])('refuses the freeze %j', async (freeze) => {
    expect((await call('ada', 'POST', '/freezes', freeze)).status).toBe(422);
  });
});
