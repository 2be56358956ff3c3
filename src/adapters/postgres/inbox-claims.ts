import { sql } from 'kysely';
import type { Db } from './database.ts';
import type { Pusher } from './releases.ts';
import { cleanText, NOW } from './values.ts';

/** Something that asks for a release to be started. */
export interface InboxRow {
  id: string;
  source: 'webhook' | 'poll' | 'api';
  repository: string;
  /** With this one. */
  tries: number;
  /** The commit that a push reported; the head is read from git, which may be behind. */
  after?: string;
  sender?: Pusher;
  /** What an earlier try made of it, and could not start. */
  releaseId?: string;
  /** The run that was asked for through the API. */
  request?: {
    releaseId: string;
    run: number;
    kind: 'manual' | 'rollback';
    environments?: string[];
    force: boolean;
  };
}

/** How long a relay that died keeps its rows from the others; one that lives renews this in time. */
const CLAIM = sql<Date>`now() + interval '30 seconds'`;
export const RENEW_MS = 10_000;
const PAUSE = sql<Date>`now() + least(30, 2 ^ least(tries, 5)) * interval '1 second'`;

/** A row that fails so often by its own fault would fail for ever. */
const FAILURES_MAX = 3;
const FAILED = {
  claimed_until: null,
  failures: sql<number>`failures + 1`,
  parked_at: sql<Date>`case when failures + 1 >= ${FAILURES_MAX} then now() end`,
  next_try_at: PAUSE,
};

/** How relays share what came in: claims, and what becomes of them. */
export function createInboxClaims(db: Db) {
  return {
    /** Claims rows that are due; several relays share the inbox without waiting for each other. */
    take: (limit: number): Promise<InboxRow[]> => claim(db, { limit, alone: false }),

    /** Claims one of the rows whose last try ended with its process: nothing else is to be tried beside it. */
    takeAlone: (): Promise<InboxRow[]> => claim(db, { limit: 1, alone: true }),

    /** Keeps rows that are still in hand. */
    renew: async (ids: readonly string[]): Promise<void> => {
      await db
        .updateTable('inbox')
        .set({ claimed_until: CLAIM })
        .where('id', 'in', [...ids])
        .where('claimed_until', 'is not', null)
        .execute();
    },

    /**
     * Counts a failed try of each row whose process ended while it was tried: it may have been the row
     * that ended it. Those that did so too often are parked, and named.
     */
    countAbandoned: async (): Promise<string[]> => {
      const rows = await db
        .updateTable('inbox')
        .set({ ...FAILED, alone: true, last_error: 'The server ended while it tried this.' })
        .where('claimed_until', '<', NOW)
        .where('done_at', 'is', null)
        .returning(['id', 'parked_at'])
        .execute();
      return parkedOf(rows);
    },

    /** Notes that the rows led to this release, which Temporal now has. */
    done: (ids: readonly string[], releaseId: string): Promise<void> =>
      db.transaction().execute(async (tx) => {
        await tx
          .updateTable('releases')
          .set({ handed_over_at: NOW })
          .where('id', '=', releaseId)
          .where('handed_over_at', 'is', null)
          .execute();
        await tx
          .updateTable('inbox')
          .set({ done_at: NOW, claimed_until: null, last_error: null, release_id: releaseId })
          .where('id', 'in', [...ids])
          .where('done_at', 'is', null)
          .execute();
      }),

    /** Gives rows back after a failure: after 2, 4, 8, 16 and then every 30 seconds. */
    retryLater: async (ids: readonly string[], error: string): Promise<void> => {
      await db
        .updateTable('inbox')
        .set({
          claimed_until: null,
          alone: false,
          next_try_at: PAUSE,
          last_error: cleanText(error).slice(0, 500),
        })
        .where('id', 'in', [...ids])
        .where('done_at', 'is', null)
        .execute();
    },

    /** Counts a failure that the rows brought with them; those that it was too often are parked, and named. */
    fail: async (ids: readonly string[], error: string): Promise<string[]> => {
      const rows = await db
        .updateTable('inbox')
        .set({
          ...FAILED,
          alone: false,
          last_error: cleanText(error).slice(0, 500),
        })
        .where('id', 'in', [...ids])
        .where('done_at', 'is', null)
        .returning(['id', 'parked_at'])
        .execute();
      return parkedOf(rows);
    },
  };
}

async function claim(
  db: Db,
  { limit, alone }: { limit: number; alone: boolean },
): Promise<InboxRow[]> {
  const rows = await db
    .updateTable('inbox')
    .set({ claimed_until: CLAIM, tries: sql`tries + 1` })
    .where('id', 'in', (due) =>
      due
        .selectFrom('inbox')
        .select('id')
        .where('done_at', 'is', null)
        .where('parked_at', 'is', null)
        .where('next_try_at', '<=', NOW)
        .where('claimed_until', 'is', null)
        .where('alone', '=', alone)
        .orderBy('next_try_at')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning([
      'id',
      'source',
      'repository',
      'after',
      'sender_id',
      'sender_login',
      'tries',
      'release_id',
      'run',
      'kind',
      'environments',
      'force',
    ])
    .execute();
  return rows.map((row) => ({
    id: row.id,
    source: row.source,
    repository: row.repository,
    tries: row.tries,
    ...(row.after === null ? {} : { after: row.after }),
    ...(row.sender_id === null
      ? {}
      : { sender: { forgeUser: row.sender_id, login: row.sender_login ?? '' } }),
    ...(row.source !== 'api' && row.release_id !== null ? { releaseId: row.release_id } : {}),
    ...(row.source === 'api' && row.release_id !== null && row.run !== null
      ? {
          request: {
            releaseId: row.release_id,
            run: row.run,
            kind: row.kind,
            force: row.force,
            ...(row.environments === null ? {} : { environments: row.environments }),
          },
        }
      : {}),
  }));
}

function parkedOf(rows: readonly { id: string; parked_at: Date | null }[]): string[] {
  return rows.filter(({ parked_at }) => parked_at !== null).map(({ id }) => id);
}
