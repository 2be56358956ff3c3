import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { someCommit, someName } from '../support/records.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());
beforeEach(async () => {
  await test.database.db.deleteFrom('inbox').execute();
});

async function call(method: 'GET' | 'POST', url: string) {
  const response = await test.app.inject({ method, url, headers: test.signedIn });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}

const ids = (body: Record<string, unknown>) => (body.items as { id: string }[]).map(({ id }) => id);

async function push(ignored?: string): Promise<string> {
  const { id } = await test.database.store.inbox.addEvent({
    repository: 'notprod',
    push: { ref: 'refs/heads/main', before: someCommit(), after: someCommit() },
    sender: { forgeUser: 'github:1', login: 'ada' },
    delivery: someName('delivery'),
    body: Buffer.from('{}'),
    ...(ignored === undefined ? {} : { ignored }),
  });
  return id;
}

async function parkedPush(): Promise<string> {
  const id = await push();
  for (let tries = 0; tries < 3; tries += 1) {
    await test.database.store.inbox.fail([id], 'There is no branch.');
  }
  return id;
}

describe('the inbox', () => {
  it('shows what came in, newest first, a page at a time', async () => {
    const [first, second, third] = [await push(), await push(), await push()];
    const page = await call('GET', '/api/v1/inbox?limit=2');
    expect(ids(page.body)).toEqual([third, second]);
    const rest = await call('GET', `/api/v1/inbox?cursor=${String(page.body.nextCursor)}`);
    expect(ids(rest.body)).toEqual([first]);
    expect(rest.body.nextCursor).toBeNull();
  });

  it('shows what became of each', async () => {
    const [waiting, parked, ignored] = [await push(), await parkedPush(), await push('a tag')];
    for (const [state, id] of Object.entries({ waiting, parked, ignored })) {
      expect(ids((await call('GET', `/api/v1/inbox?state=${state}`)).body)).toEqual([id]);
    }
    expect((await call('GET', `/api/v1/inbox/${parked}`)).body).toMatchObject({
      ...{ state: 'parked', error: 'There is no branch.', sender: 'ada', deliveries: 1 },
    });
    expect(ids((await call('GET', '/api/v1/inbox?state=done')).body)).toEqual([]);
  });

  it('needs a token', async () => {
    const { statusCode } = await test.app.inject({ method: 'GET', url: '/api/v1/inbox' });
    expect(statusCode).toBe(401);
  });
});

describe('a parked event', () => {
  it('is tried again when a person asks for it, and that is on record', async () => {
    const id = await parkedPush();
    const { status, body } = await call('POST', `/api/v1/inbox/${id}/retry`);
    expect([status, body.state]).toEqual([202, 'waiting']);
    expect(await test.database.store.inbox.take(1)).toMatchObject([{ id }]);
    const audit = await test.database.db
      .selectFrom('audit')
      .select(['actor', 'action'])
      .where('subject', '=', id)
      .execute();
    expect(audit).toEqual([{ actor: 'ada', action: 'inbox.retry' }]);
  });

  it('is the only one that can be', async () => {
    const id = await push();
    expect((await call('POST', `/api/v1/inbox/${id}/retry`)).status).toBe(409);
    const unknown = 'inb_00000000-0000-7000-8000-000000000000';
    expect((await call('POST', `/api/v1/inbox/${unknown}/retry`)).status).toBe(404);
  });
});
