import fc from 'fast-check';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushBody, SECRETS, sign, startTestApp, type TestApp } from '../support/app.ts';
import { someCommit } from '../support/records.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

/** Sends an event as GitHub does; a header of undefined is left out. */
async function send(
  body: string | Buffer,
  options: { repository?: string; headers?: Record<string, string | undefined> } = {},
) {
  const headers: Record<string, string | undefined> = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': crypto.randomUUID(),
    'x-hub-signature-256': sign(body),
    ...options.headers,
  };
  const response = await test.app.inject({
    method: 'POST',
    url: `/webhooks/github/${options.repository ?? 'notprod'}`,
    payload: body,
    headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
  });
  return {
    status: response.statusCode,
    answer: response.json<Record<string, unknown>>(),
    response,
  };
}

async function inboxRows(after: string): Promise<number> {
  const rows = await test.database.db
    .selectFrom('inbox')
    .select('id')
    .where('after', '=', after)
    .execute();
  return rows.length;
}

const inboxRow = (id: string) =>
  test.database.db.selectFrom('inbox').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

describe('a webhook that is not proved to be the forge’s', () => {
  it('is refused without a signature', async () => {
    const { status, answer } = await send(pushBody(), {
      headers: { 'x-hub-signature-256': undefined },
    });
    expect(status).toBe(401);
    expect(answer).toMatchObject({ code: 'not-signed-in', status: 401 });
  });

  it('is refused when one byte of the body differs from what was signed', async () => {
    const body = pushBody();
    const { status } = await send(body.replace('"ada"', '"adb"'), {
      headers: { 'x-hub-signature-256': sign(body) },
    });
    expect(status).toBe(401);
  });

  it.each([
    ['another secret', (body: string) => sign(body, 'a guess')],
    ['the empty secret', (body: string) => sign(body, '')],
    ['upper case', (body: string) => sign(body).toUpperCase().replace('SHA256', 'sha256')],
    ['no prefix', (body: string) => sign(body).slice('sha256='.length)],
    ['a shorter digest', (body: string) => sign(body).slice(0, -1)],
    ['two signatures', (body: string) => `${sign(body)}, ${sign(body)}`],
    ['SHA-1', () => 'sha1=0123456789abcdef0123456789abcdef01234567'],
  ])('is refused with %s', async (_name, signature) => {
    const body = pushBody();
    const { status } = await send(body, { headers: { 'x-hub-signature-256': signature(body) } });
    expect(status).toBe(401);
  });

  it('is refused before its text is read as JSON', async () => {
    const { status } = await send('{', { headers: { 'x-hub-signature-256': sign('[') } });
    expect(status).toBe(401);
  });

  it.each(['nobody', 'silent', 'constructor', '__proto__'])(
    'finds nothing at the repository %s',
    async (repository) => {
      const { status, answer } = await send(pushBody(), { repository });
      expect(status).toBe(404);
      expect(answer).toMatchObject({ code: 'not-found' });
    },
  );
});

describe('a webhook that cannot be taken', () => {
  it('is refused when it is no JSON although it is signed', async () => {
    const { status, answer } = await send('{"ref": ');
    expect(status).toBe(400);
    expect(answer).toMatchObject({ code: 'malformed', detail: 'The body is not JSON.' });
  });

  it('is refused when it is nested more deeply than any event', async () => {
    expect((await send(`${'['.repeat(65)}${']'.repeat(65)}`)).status).toBe(400);
    expect((await send('['.repeat(1_000_000))).status).toBe(400);
  });

  it('is refused when its type is not JSON', async () => {
    const { status } = await send('payload=%7B%7D', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(status).toBe(415);
  });

  it('is refused when it is larger than any event', async () => {
    const { status, answer } = await send(Buffer.alloc(26_214_400 + 65_536 + 1, 32));
    expect(status).toBe(413);
    expect(answer).toMatchObject({ code: 'too-large' });
  });

  it('too large but signed asks for a look at the branch, which needs none of it', async () => {
    const waiting = async () => (await test.database.store.polls.find('notprod')).inbox.waiting;
    const before = await waiting();
    const body = Buffer.alloc(26_214_400 + 65_536 + 1, 32);
    const { status, answer } = await send(body);
    expect([status, answer.code]).toEqual([413, 'too-large']);
    expect(await waiting()).toBe(before + 1);
    for (const change of [
      { headers: { 'x-hub-signature-256': sign(body, 'another secret') } },
      { headers: { 'x-hub-signature-256': '' } },
      { headers: { 'x-github-event': 'issues' } },
    ]) {
      expect((await send(body, change)).status).toBe(413);
    }
    expect(await waiting()).toBe(before + 1);
  });

  it('is refused when it turns out too large without having said so', async () => {
    const chunk = Buffer.alloc(1_048_576, 32);
    const response = await test.app.inject({
      method: 'POST',
      url: '/webhooks/github/notprod',
      headers: { 'content-type': 'application/json' },
      payload: Readable.from(Array.from({ length: 27 }, () => chunk)),
    });
    expect(response.statusCode).toBe(413);
  });

  it('is taken at the size of the largest event', async () => {
    const after = someCommit();
    const body = Buffer.concat([Buffer.from(pushBody({ after })), Buffer.alloc(26_000_000, 32)]);
    expect((await send(body)).status).toBe(202);
    expect(await inboxRows(after)).toBe(1);
  });
});

describe('many large bodies at once', () => {
  it('are refused where they would not fit into memory; later there is room again', async () => {
    const announced = { headers: { 'content-length': '26000000' } };
    const together = await Promise.all([1, 2, 3].map(() => send('short', announced)));
    // Those that got in are found to be shorter than they said.
    expect(together.map(({ status }) => status).sort()).toEqual([400, 400, 503]);
    expect((await send('short', announced)).status).toBe(400);
  });

  it('leave room for small ones', async () => {
    const announced = { headers: { 'content-length': '26000000' } };
    const [, , small] = await Promise.all([
      send('short', announced),
      send('short', announced),
      send(pushBody()),
    ]);
    expect(small.status).toBe(202);
  });
});

describe('an authentic event', () => {
  it('is stored and answered with its id', async () => {
    const after = someCommit();
    const { status, answer } = await send(pushBody({ after }));
    expect(status).toBe(202);
    expect(answer).toEqual({ id: expect.stringMatching(/^inb_/) as string, duplicate: false });
    expect(await inboxRows(after)).toBe(1);
  });

  it('is taken with the second secret while one replaces the other', async () => {
    const body = pushBody();
    const { status } = await send(body, {
      headers: { 'x-hub-signature-256': sign(body, SECRETS[1]) },
    });
    expect(status).toBe(202);
  });

  it('makes one row however often it is delivered', async () => {
    const after = someCommit();
    const body = pushBody({ after });
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(body)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(new Set(answers.map(({ answer }) => answer.id)).size).toBe(1);
    expect(answers.filter(({ answer }) => answer.duplicate === true)).toHaveLength(4);
    expect(await inboxRows(after)).toBe(1);
  });

  it('names the release that came of it when it is delivered again', async () => {
    const body = pushBody();
    const { answer } = await send(body);
    const { release } = await test.database.store.releases.upsert({
      repository: 'notprod',
      commit: someCommit(),
      kind: 'automatic',
    });
    await test.database.store.inbox.done([String(answer.id)], release.id);
    expect((await send(body)).answer).toEqual({
      id: answer.id,
      duplicate: true,
      releaseId: release.id,
    });
  });

  it('is kept as it came, with what proves it, and who pushed', async () => {
    const body = pushBody({ sender: { id: 4711, login: 'ada' } });
    const { answer } = await send(body, { headers: { authorization: 'Bearer stranger' } });
    const row = await inboxRow(String(answer.id));
    expect(row.body?.toString()).toBe(body);
    expect(row).toMatchObject({ sender_id: 'github:4711', sender_login: 'ada', ignored: null });
    expect(row.headers).toMatchObject({
      'x-github-event': 'push',
      'x-hub-signature-256': sign(body),
    });
    expect(JSON.stringify(row.headers)).not.toContain('stranger');
  });

  it('is kept with the verdict when nothing follows from it', async () => {
    const after = someCommit();
    await send(pushBody({ after, ref: 'refs/tags/v1' }));
    const rows = await test.database.db
      .selectFrom('inbox')
      .select(['ignored', 'done_at'])
      .where('after', '=', after)
      .execute();
    expect(rows).toEqual([{ ignored: 'the push is of a tag', done_at: expect.any(Date) as Date }]);
  });

  it('is answered when it is a ping', async () => {
    const { status } = await send('{"zen":"Design for failure."}', {
      headers: { 'x-github-event': 'ping' },
    });
    expect(status).toBe(200);
  });

  it.each<[string, string, Record<string, unknown>]>([
    ['another branch', 'another branch than main', { ref: 'refs/heads/feature' }],
    ['a branch whose name begins alike', 'another branch', { ref: 'refs/heads/main2' }],
    ['a tag', 'of a tag', { ref: 'refs/tags/v1' }],
    ['a deleted branch', 'deleted', { after: '0'.repeat(40) }],
    ['another repository', 'another repository', { repository: { full_name: 'evil/fork' } }],
    ['an odd commit', 'not that of a push', { after: 'HEAD' }],
    ['doubles where text belongs', 'not that of a push', { ref: 9007199254740993 }],
    ['no repository', 'not that of a push', { repository: null }],
  ])('of %s is ignored and says why', async (_name, why, change) => {
    const { status, answer } = await send(pushBody(change));
    expect(status).toBe(202);
    expect(answer.ignored).toContain(why);
    expect(answer).not.toHaveProperty('id');
  });

  it('of another kind is ignored and says why', async () => {
    const { status, answer } = await send(pushBody(), { headers: { 'x-github-event': 'issues' } });
    expect(status).toBe(202);
    expect(answer).toEqual({ ignored: 'the event issues starts nothing' });
  });

  it('is recognised by its address where the forge names the repository otherwise', async () => {
    const { status, answer } = await send(
      pushBody({
        repository: {
          full_name: 'renamed',
          clone_url: 'https://GitHub.com/example/deployments-notprod',
        },
      }),
    );
    expect(status).toBe(202);
    expect(answer).toHaveProperty('id');
  });

  it.each([
    '{"__proto__":{"ref":"refs/heads/main"}}',
    '[]',
    'null',
    '"text"',
    '1e400',
    '"\\ud800"',
  ])('with the body %s harms nobody', async (body) => {
    expect((await send(body)).status).toBe(202);
  });

  it('with any other body does too', async () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.constantFrom('refs/heads/main', '0'.repeat(40), 'a'.repeat(40), null, {}, []),
    );
    const shaped = fc
      .record(
        { ref: part, before: part, after: part, repository: fc.oneof(part, fc.object()) },
        { requiredKeys: [] },
      )
      .map((value) => Buffer.from(JSON.stringify(value)));
    const raw = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const json = fc.json({ maxDepth: 5 }).map((text) => Buffer.from(text));
    await fc.assert(
      fc.asyncProperty(fc.oneof(shaped, raw, json), async (body) => {
        expect([202, 400]).toContain((await send(body)).status);
      }),
      { numRuns: 500 },
    );
  });
});
