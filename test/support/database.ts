import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { openDatabase, type Database } from '../../src/adapters/postgres/database.ts';
import { createStore, type Store } from '../../src/adapters/postgres/store.ts';

export interface TestDatabase extends Database {
  url: string;
  store: Store;
}

/** A fresh, migrated database of the test file's own, in the PostgreSQL of postgres-global.ts. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const template = new URL(inject('postgresUrl'));
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin((client) =>
    client.query(`create database ${name} template ${template.pathname.slice(1)}`),
  );
  const url = withName(name);
  const database = openDatabase({ url, onConnectionLost: () => undefined });
  return {
    ...database,
    url,
    store: createStore(database.db),
    close: async () => {
      await database.close();
      await asAdmin((client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** An empty database without tables. */
export async function createEmptyDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin((client) => client.query(`create database ${name}`));
  return {
    url: withName(name),
    drop: async () => {
      await asAdmin((client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

async function asAdmin(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: withName('postgres') });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function withName(database: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${database}`;
  return url.href;
}
