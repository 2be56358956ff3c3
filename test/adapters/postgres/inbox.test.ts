import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listenForInbox } from '../../../src/adapters/postgres/notifications.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { someCommit, someName } from '../../support/records.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.db.deleteFrom('inbox').execute();
});

function push(change: { before?: string; after?: string; delivery?: string } = {}) {
  const { before = someCommit(), after = someCommit(), delivery = someName('delivery') } = change;
  return database.store.inbox.addEvent({
    repository: 'notprod',
    push: { ref: 'refs/heads/main', before, after },
    delivery,
    body: Buffer.from('{}'),
  });
}

/** Lets time pass for rows that wait. */
async function makeDue(): Promise<void> {
  await database.db
    .updateTable('inbox')
    .set({ next_try_at: sql<Date>`now()` })
    .execute();
}

/** Lets time pass for rows that nobody renews. */
async function endProcess(): Promise<void> {
  await database.db
    .updateTable('inbox')
    .set({ claimed_until: sql<Date>`now() - interval '1 second'` })
    .where('claimed_until', 'is not', null)
    .execute();
}

describe('a row of the inbox', () => {
  it('is given to one of many who ask at the same time', async () => {
    const ids = new Set<string>();
    for (let count = 0; count < 40; count += 1) ids.add((await push()).id);
    const takes = await Promise.all(Array.from({ length: 8 }, () => database.store.inbox.take(10)));
    const taken = takes.flat().map(({ id }) => id);
    expect(new Set(taken).size).toBe(taken.length);
    const rest = await database.store.inbox.take(100);
    expect(new Set([...taken, ...rest.map(({ id }) => id)])).toEqual(ids);
  });

  it('waits after a failure, longer each time, and says why', async () => {
    const { inbox } = database.store;
    const { id } = await push();
    const waits: number[] = [];
    for (let count = 0; count < 7; count += 1) {
      expect(await inbox.take(1)).toHaveLength(1);
      await inbox.retryLater([id], 'Temporal is away');
      expect(await inbox.take(1)).toEqual([]);
      const row = await database.db
        .selectFrom('inbox')
        .select([
          'last_error',
          sql<number>`round(extract(epoch from next_try_at - now()))::integer`.as('seconds'),
        ])
        .executeTakeFirstOrThrow();
      expect(row.last_error).toBe('Temporal is away');
      waits.push(row.seconds);
      await makeDue();
    }
    expect(waits).toEqual([2, 4, 8, 16, 30, 30, 30]);
  });

  it('is woken when the forge delivers it again', async () => {
    const { inbox } = database.store;
    const content = { before: someCommit(), after: someCommit() };
    const { id } = await push(content);
    await inbox.take(1);
    await inbox.retryLater([id], 'away');
    expect(await push(content)).toEqual({ id, duplicate: true });
    expect(await inbox.take(1)).toMatchObject([{ id, tries: 2 }]);
  });

  it('comes back when the one who took it does not, to be tried alone', async () => {
    const { inbox } = database.store;
    const { id } = await push();
    const other = await push();
    await inbox.take(1);
    expect(await inbox.countAbandoned()).toEqual([]);
    await endProcess();
    expect(await inbox.countAbandoned()).toEqual([]);
    await makeDue();
    expect(await inbox.take(10)).toMatchObject([{ id: other.id }]);
    expect(await inbox.takeAlone()).toMatchObject([{ id, tries: 2 }]);
    // It was not that row's fault: it goes on with the others.
    await inbox.retryLater([id], 'Temporal is away');
    await makeDue();
    expect(await inbox.take(10)).toMatchObject([{ id }]);
  });

  it('stays with the one who took it as long as that says so', async () => {
    const { inbox } = database.store;
    const { id } = await push();
    await inbox.take(1);
    await endProcess();
    await inbox.renew([id]);
    expect(await inbox.countAbandoned()).toEqual([]);
    await inbox.retryLater([id], 'away');
    await inbox.renew([id]);
    await makeDue();
    expect(await inbox.take(1)).toMatchObject([{ id }]);
  });

  it('that is done does not come back', async () => {
    const { inbox, releases } = database.store;
    const { id } = await push();
    const { release } = await releases.upsert({
      repository: 'notprod',
      commit: someCommit(),
      kind: 'automatic',
    });
    expect(release.handedOver).toBe(false);
    await inbox.take(1);
    await inbox.done([id], release.id);
    await inbox.retryLater([id], 'too late');
    await makeDue();
    expect(await inbox.take(1)).toEqual([]);
    expect(await releases.handle(release.id)).toMatchObject({ handedOver: true });
  });
});

describe('a row that fails by its own fault', () => {
  async function parked(content: { before: string; after: string; delivery: string }) {
    const { id } = await push(content);
    const { inbox } = database.store;
    for (const expected of [[], [], [id]]) {
      await inbox.take(1);
      expect(await inbox.fail([id], 'no such branch')).toEqual(expected);
      await makeDue();
    }
    return id;
  }
  const content = () => ({
    ...{ before: someCommit(), after: someCommit() },
    delivery: someName('delivery'),
  });

  it('is parked after three failures; waiting for a neighbour does not count', async () => {
    const { inbox } = database.store;
    const { id } = await push();
    for (let count = 0; count < 5; count += 1) {
      await inbox.take(1);
      await inbox.retryLater([id], 'Temporal is away');
      await makeDue();
    }
    await inbox.fail([id], 'no such branch');
    await makeDue();
    expect(await inbox.take(1)).toMatchObject([{ id, tries: 6 }]);
  });

  it('is parked when its process ended three times while it was tried', async () => {
    const { inbox } = database.store;
    const { id } = await push();
    await inbox.take(1);
    for (const expected of [[], [], [id]]) {
      await endProcess();
      expect(await inbox.countAbandoned()).toEqual(expected);
      await makeDue();
      await inbox.takeAlone();
    }
    expect((await database.store.inboxEntries.find(id))?.error).toContain('The server ended');
  });

  it('is given to nobody any more', async () => {
    await parked(content());
    expect(await database.store.inbox.take(1)).toEqual([]);
  });

  it('is woken by the same delivery, not by a replay under another id', async () => {
    const { inbox } = database.store;
    const first = content();
    const id = await parked(first);
    await push({ ...first, delivery: someName('delivery') });
    expect(await inbox.take(1)).toEqual([]);
    await push(first);
    expect(await inbox.take(1)).toMatchObject([{ id }]);
  });
});

describe('a head that the poll found', () => {
  const head = () => ({ repository: 'notprod', ref: 'refs/heads/main', commit: someCommit() });

  it('is stored once, by how many polls it is found', async () => {
    const one = head();
    const answers = await Promise.all([1, 2, 3].map(() => database.store.inbox.addHead(one)));
    expect(answers.sort()).toEqual(['stored', 'waiting', 'waiting']);
    expect(await database.store.inbox.take(10)).toMatchObject([
      { source: 'poll', after: one.commit },
    ]);
  });

  it('is not stored when a webhook announced it or a release has it', async () => {
    const { inbox, releases } = database.store;
    const [one, other] = [head(), head()];
    await push({ after: one.commit });
    expect(await inbox.addHead(one)).toBe('waiting');
    await releases.upsert({ ...other, kind: 'automatic' });
    expect(await inbox.addHead(other)).toBe('released');
    expect(await inbox.take(10)).toHaveLength(1);
  });
});

describe('what was done with', () => {
  const age = (id: string, days: number) =>
    database.db
      .updateTable('inbox')
      .set({ done_at: sql<Date>`now() - ${days} * interval '1 day'` })
      .where('id', '=', id)
      .execute();
  const ignoredEvent = () =>
    database.store.inbox.addEvent({
      ...{ repository: 'notprod', ignored: 'nothing to do', delivery: someName('delivery') },
      body: Buffer.from('{}'),
    });
  const left = async () =>
    (await database.db.selectFrom('inbox').select('id').orderBy('id').execute()).map(
      ({ id }) => id,
    );

  it('is removed when it is older than it is kept, so many at a time', async () => {
    const events = [await ignoredEvent(), await ignoredEvent(), await ignoredEvent()];
    const [old = '', older = '', young = ''] = events.map(({ id }) => id);
    await age(old, 31);
    await age(older, 32);
    await age(young, 29);
    const sweep = () => database.store.inboxEntries.sweep({ keepDays: 30, limit: 1 });
    expect([await sweep(), await sweep(), await sweep()]).toEqual([1, 1, 0]);
    expect(await left()).toEqual([young]);
  });

  it('stays as long as its release is on its way, and while it waits', async () => {
    const { inbox, inboxEntries, releases } = database.store;
    const waiting = await push();
    const done = await push();
    const { release } = await releases.upsert({
      ...{ repository: 'notprod', commit: someCommit(), kind: 'automatic' },
    });
    await inbox.done([done.id], release.id);
    await age(done.id, 100);
    expect(await inboxEntries.sweep({ keepDays: 30, limit: 10 })).toBe(0);
    expect(await left()).toEqual([waiting.id, done.id]);
  });
});

it('what comes in is told to whoever listens', async () => {
  let tell: () => void = () => undefined;
  const told = () => new Promise<void>((resolve) => (tell = resolve));
  const listening = told();
  const listener = listenForInbox({
    url: database.url,
    onNotify: () => {
      tell();
    },
  });
  await listening;
  const next = told();
  await push();
  await next;
  await listener.close();
});

it('whoever listens does so again after the connection broke', async () => {
  let tell: () => void = () => undefined;
  const told = () => new Promise<void>((resolve) => (tell = resolve));
  const listening = told();
  const listener = listenForInbox({
    url: database.url,
    onNotify: () => {
      tell();
    },
  });
  await listening;
  const again = told();
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'slipway-inbox' and datname = current_database()`.execute(database.db);
  await again;
  await listener.close();
});
