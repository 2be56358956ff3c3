import { sql } from 'kysely';
import pg from 'pg';
import type { Db, Tx } from './database.ts';

const INBOX_CHANNEL = 'slipway_inbox';
const RECONNECT_MS = 1_000;

/** Wakes the relays when the transaction commits. */
export async function notifyInbox(db: Db | Tx): Promise<void> {
  await sql`select pg_notify(${INBOX_CHANNEL}, '')`.execute(db);
}

/**
 * Calls back whenever something came into the inbox. It is a wake-up only: while the connection is
 * away nothing is told, so whoever listens also looks from time to time.
 */
export function listenForInbox(options: { url: string; onNotify: () => void }): {
  close: () => Promise<void>;
} {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let client: pg.Client | undefined;

  const reconnect = (lost: pg.Client) => {
    if (closed || client !== lost) return;
    client = undefined;
    lost.end().catch(() => undefined);
    timer = setTimeout(connect, RECONNECT_MS);
  };

  function connect(): void {
    const next = new pg.Client({
      connectionString: options.url,
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
      application_name: 'slipway-inbox',
    });
    client = next;
    next.on('notification', options.onNotify);
    next.on('error', () => {
      reconnect(next);
    });
    next.on('end', () => {
      reconnect(next);
    });
    next
      .connect()
      .then(() => next.query(`listen ${INBOX_CHANNEL}`))
      // What came while nobody listened.
      .then(options.onNotify)
      .catch(() => {
        reconnect(next);
      });
  }

  connect();
  return {
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}
