import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment } from '../../src/contract/api/environment.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.database.store.environments.sync(
    ['cs-dev', 'cs-qa', 'cs-prod', 'cs-raced'].map((name) => ({
      ...{ repository: 'notprod', name, cluster: 'notprod', namespace: name },
    })),
  );
});
afterAll(() => test.close());

async function post(url: string, payload: Record<string, unknown>) {
  const response = await test.app.inject({
    method: 'POST',
    url: `/api/v1/environments/notprod/${url}`,
    headers: test.signedIn,
    payload,
  });
  return { status: response.statusCode, body: response.json<Environment & { detail: string }>() };
}

async function holdOf(name: string): Promise<Environment['hold']> {
  const url = '/api/v1/environments';
  const response = await test.app.inject({ url, headers: test.signedIn });
  const { items } = response.json<{ items: Environment[] }>();
  return items.find((environment) => environment.name === name)?.hold ?? null;
}

describe('holding an environment', () => {
  it('says who holds it, why, since when and until when; resuming ends it', async () => {
    const reason = 'Rolled back to release 409';
    const until = '2999-01-02T03:04:05.000Z';
    const held = await post('cs-dev/hold', { reason, until });
    expect(held).toMatchObject({ status: 200, body: { hold: { reason, by: 'ada', until } } });
    expect(await holdOf('cs-dev')).toEqual(held.body.hold);
    expect(await holdOf('cs-qa')).toBeNull();
    expect((await post('cs-dev/resume', { reason: 'Fixed by 410' })).body.hold).toBeNull();
    expect(await holdOf('cs-dev')).toBeNull();
  });

  it('stands in the audit with its reasons', async () => {
    await post('cs-prod/hold', { reason: 'Looking at it' });
    await post('cs-prod/resume', { reason: 'Nothing found' });
    const rows = await test.database.db
      .selectFrom('audit')
      .select(['actor', 'action', 'details'])
      .where('subject', '=', 'notprod/cs-prod')
      .orderBy('id')
      .execute();
    expect(rows).toEqual([
      {
        ...{ actor: 'ada', action: 'environment.hold' },
        details: { reason: 'Looking at it', until: null },
      },
      { actor: 'ada', action: 'environment.resume', details: { reason: 'Nothing found' } },
    ]);
  });

  it('replaces the hold that was there, also when many hold at once', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => post('cs-raced/hold', { reason: `try ${index}` })),
    );
    const active = await test.database.db
      .selectFrom('holds')
      .selectAll()
      .where('environment', '=', 'cs-raced')
      .where('ended_at', 'is', null)
      .execute();
    expect(active).toHaveLength(1);
    expect((await post('cs-raced/resume', {})).status).toBe(200);
    expect((await post('cs-raced/resume', {})).status).toBe(409);
  });

  it('is over at its time without anybody', async () => {
    await post('cs-qa/hold', { reason: 'lunch', until: '2999-01-01T00:00:00Z' });
    const holds = test.database.db.updateTable('holds');
    await holds
      .set({ until: new Date(0) })
      .where('environment', '=', 'cs-qa')
      .execute();
    expect(await holdOf('cs-qa')).toBeNull();
    expect((await post('cs-qa/resume', {})).status).toBe(409);
  });

  it('refuses what makes no sense', async () => {
    expect((await post('cs-none/hold', { reason: 'x' })).status).toBe(404);
    expect((await post('cs-qa/hold', {})).status).toBe(422);
    const past = await post('cs-qa/hold', { reason: 'x', until: '2020-01-01T00:00:00Z' });
    expect(past.status).toBe(422);
    expect(past.body.detail).toContain('2020-01-01');
  });
});
