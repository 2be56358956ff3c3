import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { translateError } from './errors.ts';
import type { Tables } from './schema.ts';

export type Db = Kysely<Tables>;
export type Tx = Transaction<Tables>;

export interface Database {
  readonly db: Db;
  /** Throws when the database does not answer. */
  check: () => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Opens the pool. Every wait has a limit, so that a request is answered with 503 within 8 s while the
 * database is away: 2 s for a connection, then 4 s for a statement (6 s when not even a refusal comes).
 */
export function openDatabase(options: {
  url: string;
  connectionsMax?: number;
  /** Told when an idle connection breaks; the pool makes a new one by itself. */
  onConnectionLost: (message: string) => void;
}): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax ?? 10,
    connectionTimeoutMillis: 2_000,
    statement_timeout: 4_000,
    query_timeout: 6_000,
    lock_timeout: 2_000,
    idle_in_transaction_session_timeout: 10_000,
    // A 2xx promises that the row survives a crash, whatever the server's default is.
    options: '-c synchronous_commit=on',
    application_name: 'slipway',
  });
  // Without a listener a broken idle connection ends the process.
  pool.on('error', (error) => {
    options.onConnectionLost(error.message);
  });
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    db,
    check: async () => {
      try {
        await sql`select 1`.execute(db);
      } catch (error) {
        throw translateError('database.check', error);
      }
    },
    close: () => db.destroy(),
  };
}
