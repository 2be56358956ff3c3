import { sql } from 'kysely';
import type { Db } from './database.ts';
import { notifyInbox } from './notifications.ts';
import { cleanText, newId } from './values.ts';

/** A push that a forge reported and signed. */
export interface PushEvent {
  repository: string;
  ref: string;
  before: string;
  after: string;
  /** The forge's id of this delivery; another one comes with each redelivery. */
  delivery?: string;
  body: Buffer;
}

export interface StoredPush {
  id: string;
  /** The same push was stored before. */
  duplicate: boolean;
  /** What came of it, when it was handled already. */
  releaseId?: string;
}

/** Something that asks for a release to be started. */
export interface InboxRow {
  id: string;
  source: 'webhook' | 'api';
  repository: string;
  /** With this one. */
  tries: number;
  /** The commit that a push reported; the head is read from git, which may be behind. */
  after?: string;
  /** The run that was asked for through the API. */
  request?: { releaseId: string; run: number; environments?: string[]; force: boolean };
}

/** How long a relay that died keeps its rows from the others. */
const CLAIM = sql<Date>`now() + interval '60 seconds'`;
const NOW = sql<Date>`now()`;

/** What came in and is to be started: durable, so that an accepted event is never lost. */
export function createInbox(db: Db) {
  return {
    /** Stores a push once, however often it is delivered; a repetition wakes a row that waits. */
    addPush: (event: PushEvent): Promise<StoredPush> =>
      db.transaction().execute(async (tx) => {
        const row = await tx
          .insertInto('inbox')
          .values({
            id: newId('inb'),
            source: 'webhook',
            repository: event.repository,
            ref: event.ref,
            before: event.before,
            after: event.after,
            delivery: event.delivery === undefined ? null : cleanText(event.delivery),
            body: event.body,
          })
          .onConflict((conflict) =>
            conflict
              .columns(['repository', 'ref', 'before', 'after'])
              .where('source', '=', 'webhook')
              .doUpdateSet({ next_try_at: NOW }),
          )
          // xmax is 0 in a row that this statement inserted.
          .returning(['id', 'release_id', sql<boolean>`xmax <> 0`.as('duplicate')])
          .executeTakeFirstOrThrow();
        await notifyInbox(tx);
        return {
          id: row.id,
          duplicate: row.duplicate,
          ...(row.release_id === null ? {} : { releaseId: row.release_id }),
        };
      }),

    /** Claims rows that are due; several relays share the inbox without waiting for each other. */
    take: async (limit: number): Promise<InboxRow[]> => {
      const rows = await db
        .updateTable('inbox')
        .set({ claimed_until: CLAIM, tries: sql`tries + 1` })
        .where('id', 'in', (due) =>
          due
            .selectFrom('inbox')
            .select('id')
            .where('done_at', 'is', null)
            .where('next_try_at', '<=', NOW)
            .where((is) => is.or([is('claimed_until', 'is', null), is('claimed_until', '<', NOW)]))
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
          'tries',
          'release_id',
          'run',
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
        ...(row.source === 'api' && row.release_id !== null && row.run !== null
          ? {
              request: {
                releaseId: row.release_id,
                run: row.run,
                force: row.force,
                ...(row.environments === null ? {} : { environments: row.environments }),
              },
            }
          : {}),
      }));
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
          next_try_at: sql<Date>`now() + least(30, 2 ^ least(tries, 5)) * interval '1 second'`,
          last_error: cleanText(error).slice(0, 500),
        })
        .where('id', 'in', [...ids])
        .where('done_at', 'is', null)
        .execute();
    },
  };
}
