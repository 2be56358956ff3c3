import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '../../../migrations/index.ts';
import { openDatabase } from '../../../src/adapters/postgres/database.ts';
import { migrateToLatest } from '../../../src/adapters/postgres/migrate.ts';
import { createStore } from '../../../src/adapters/postgres/store.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import {
  createEmptyDatabase,
  createTestDatabase,
  type TestDatabase,
} from '../../support/database.ts';
import { someCommit, someName, storeRelease } from '../../support/records.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

it('migrations run once, however many processes start together', async () => {
  const empty = await createEmptyDatabase();
  const ran = await Promise.all(Array.from({ length: 4 }, () => migrateToLatest(empty.url)));
  expect(ran.flat()).toEqual(Object.keys(migrations));
  expect(await migrateToLatest(empty.url)).toEqual([]);
  await empty.drop();
});

describe('errors', () => {
  it('of a database that is away say so', async () => {
    const gone = openDatabase({
      url: 'postgres://slipway@127.0.0.1:1/slipway',
      onConnectionLost: () => undefined,
    });
    const error = await createStore(gone.db)
      .releases.find('1')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('releases.find') as string,
    });
    await expect(gone.check()).rejects.toMatchObject({ code: 'unavailable' });
    await gone.close();
  });

  it('do not hold the values of rows', async () => {
    const taken = { repository: 'r', cluster: 'c', namespace: 'secret-namespace' };
    const error: unknown = await database.store.environments
      .sync([
        { ...taken, name: 'a' },
        { ...taken, name: 'b' },
      ])
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    const said = `${String(error)} ${JSON.stringify(error, Object.getOwnPropertyNames(error))}`;
    expect(said).toContain('environments_namespace');
    expect(said).not.toContain('secret-namespace');
  });

  it('of a statement that waits too long for a lock are passing ones', async () => {
    const { release } = await storeRelease(database.store);
    await database.db.transaction().execute(async (tx) => {
      await tx
        .selectFrom('releases')
        .select('id')
        .where('id', '=', release.id)
        .forUpdate()
        .execute();
      await expect(
        database.store.releases.addRun({
          releaseId: release.id,
          force: false,
          actor: 'ada',
          requestId: 'r',
        }),
      ).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
});

describe('the audit', () => {
  it('can be added to, and neither changed nor emptied', async () => {
    await database.store.audit.append({
      actor: 'ada',
      action: 'release.cancel',
      subject: 'rel_1',
      requestId: 'r',
    });
    const { db } = database;
    const changes = [
      db.updateTable('audit').set({ actor: 'eve' }).execute(),
      db.deleteFrom('audit').execute(),
      sql`truncate audit`.execute(db),
    ];
    for (const result of await Promise.allSettled(changes)) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { message: 'audit is append-only' },
      });
    }
  });
});

describe('tokens', () => {
  it('are known by their hash alone', async () => {
    const { token } = await database.store.tokens.create({ name: 'ci' });
    expect(token).toMatch(/^slp_[A-Za-z0-9_-]{43}$/);
    expect(await database.store.tokens.verify(token)).toEqual({ name: 'ci' });
    expect(await database.store.tokens.verify(`${token}x`)).toBeUndefined();
    const rows = await sql<{ row: string }>`select tokens::text as row from tokens`.execute(
      database.db,
    );
    expect(JSON.stringify(rows.rows)).not.toContain(token.slice(10));
  });

  it('note when they were used', async () => {
    const { token } = await database.store.tokens.create({ name: 'used' });
    const lastUse = async () =>
      (
        await database.db
          .selectFrom('tokens')
          .select('last_used_at')
          .where('name', '=', 'used')
          .executeTakeFirstOrThrow()
      ).last_used_at;
    expect(await lastUse()).toBeNull();
    await database.store.tokens.verify(token);
    const first = await lastUse();
    await database.store.tokens.verify(token);
    expect(first).toBeInstanceOf(Date);
    expect(await lastUse()).toEqual(first);
  });
});

describe('environments', () => {
  it('follow the configuration: moved, swapped, removed and back', async () => {
    const { environments } = database.store;
    const repository = someName('repository');
    const at = (name: string, namespace: string) => ({
      repository,
      name,
      cluster: 'notprod',
      namespace: `${repository}-${namespace}`,
    });
    await environments.sync([at('a', '1'), at('b', '2')]);
    await environments.accept({
      ...{ repository, environment: 'a', commit: someCommit(), deploymentId: 'dep_1' },
    });
    await environments.sync([at('b', '1'), at('a', '2')]);
    const swapped = await environments.list({ limit: 10 });
    expect(swapped.items.map(({ name, namespace }) => [name, namespace.slice(-1)])).toEqual([
      ['b', '1'],
      ['a', '2'],
    ]);
    await environments.sync([at('b', '2')]);
    expect(await environments.find(repository, 'a')).toBeUndefined();
    // What it accepted is not forgotten: the order of its commits still counts when it comes back.
    expect(await environments.acceptedCommit(repository, 'a')).toBeDefined();
    await environments.sync([at('a', '1'), at('b', '2')]);
    expect(await environments.find(repository, 'a')).toBeDefined();
  });

  it('accept commits only when they are known', async () => {
    const { environments } = database.store;
    expect(await environments.acceptedCommit('nobody', 'nowhere')).toBeUndefined();
    await expect(
      environments.accept({
        ...{
          repository: 'nobody',
          environment: 'nowhere',
          commit: someCommit(),
          deploymentId: 'dep_1',
        },
      }),
    ).rejects.toThrow('environment nobody/nowhere is not in the store');
  });
});

it('a commit of a repository has one release, however many make it at the same time', async () => {
  const input = { repository: someName('r'), commit: someCommit(), kind: 'automatic' } as const;
  const made = await Promise.all(
    Array.from({ length: 8 }, () => database.store.releases.upsert(input)),
  );
  expect(new Set(made.map(({ release }) => release.id)).size).toBe(1);
  expect(made.filter(({ created }) => created)).toHaveLength(1);
});
