import { Kysely, PostgresDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { migrations } from '../../../migrations/index.ts';
import { translateError } from './errors.ts';

/**
 * Brings the database to the newest schema and names the migrations that ran. Safe to call from several
 * processes at once: an advisory lock lets one work and the others wait for it. Its connection has
 * no statement timeout, because a migration may take long.
 */
export async function migrateToLatest(url: string): Promise<string[]> {
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 10_000 });
  // The query that fails says so too; without a listener the process would end.
  pool.on('error', () => undefined);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve(migrations) },
    });
    const { error, results } = await migrator.migrateToLatest();
    if (error !== undefined) throw translateError('migrating the database', error);
    return (results ?? []).map(({ migrationName }) => migrationName);
  } catch (error) {
    throw translateError('migrating the database', error);
  } finally {
    await db.destroy();
  }
}
