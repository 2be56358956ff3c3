import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listenForInbox } from '../../../src/adapters/postgres/notifications.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { someCommit } from '../../support/records.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.db.deleteFrom('inbox').execute();
});

function push(change: Record<string, string> = {}) {
  return database.store.inbox.addPush({
    repository: 'notprod',
    ref: 'refs/heads/main',
    before: someCommit(),
    after: someCommit(),
    body: Buffer.from('{}'),
    ...change,
  });
}

/** Lets time pass for rows that wait. */
async function makeDue(): Promise<void> {
  await database.db
    .updateTable('inbox')
    .set({ next_try_at: sql<Date>`now()` })
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

  it('comes back when the one who took it does not', async () => {
    const { inbox } = database.store;
    const { id } = await push();
    await inbox.take(1);
    expect(await inbox.take(1)).toEqual([]);
    await database.db
      .updateTable('inbox')
      .set({ claimed_until: sql<Date>`now() - interval '1 second'` })
      .execute();
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
