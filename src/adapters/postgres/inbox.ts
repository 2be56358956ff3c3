import { sql } from 'kysely';
import type { Db, Tx } from './database.ts';
import { notifyInbox } from './notifications.ts';
import type { Pusher } from './releases.ts';
import { cleanText, json, newId, NOW } from './values.ts';

/** An event that a forge reported and signed; of a push, what it says of the branch. */
export interface ForgeEvent {
  repository: string;
  push?: { ref: string; before: string; after: string };
  sender?: Pusher;
  /** Why nothing follows from it. */
  ignored?: string;
  /** The forge's id of this delivery. */
  delivery?: string;
  /** Those that prove where it came from; never a token. */
  headers?: Record<string, string>;
  body: Buffer;
}

export interface StoredEvent {
  id: string;
  /** The same push was stored before. */
  duplicate: boolean;
  /** What came of it, when it was handled already. */
  releaseId?: string;
}

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
  /** The run that was asked for through the API. */
  request?: {
    releaseId: string;
    run: number;
    kind: 'manual' | 'rollback';
    environments?: string[];
    force: boolean;
  };
}

/** A branch and what it points at. */
interface FoundHead {
  repository: string;
  ref: string;
  commit: string;
}

/** How long a relay that died keeps its rows from the others. */
const CLAIM = sql<Date>`now() + interval '60 seconds'`;
const PAUSE = sql<Date>`now() + least(30, 2 ^ least(tries, 5)) * interval '1 second'`;

/** A row that fails so often by its own fault would fail for ever. */
const FAILURES_MAX = 3;

/** What came in and is to be started: durable, so that an accepted event is never lost. */
export function createInbox(db: Db) {
  return {
    /**
     * Stores an event. A push is stored once, however often it is delivered; a repetition wakes a row
     * that waits, and one that is parked when it is the same delivery: somebody asked the forge for it.
     */
    addEvent: (event: ForgeEvent): Promise<StoredEvent> =>
      db.transaction().execute(async (tx) => {
        const { repository, push, sender, ignored, delivery = '' } = event;
        const row = await tx
          .insertInto('inbox')
          .values({
            id: newId('inb'),
            source: 'webhook',
            repository,
            ...{ ref: push?.ref ?? null, before: push?.before ?? null, after: push?.after ?? null },
            sender_id: sender?.forgeUser ?? null,
            sender_login: sender === undefined ? null : cleanText(sender.login),
            headers: event.headers === undefined ? null : json(event.headers),
            body: event.body,
            ignored: ignored ?? null,
            done_at: ignored === undefined ? null : NOW,
          })
          .onConflict((conflict) =>
            conflict
              .columns(['repository', 'ref', 'before', 'after'])
              .where('source', '=', 'webhook')
              .where('ignored', 'is', null)
              .doUpdateSet({ next_try_at: NOW }),
          )
          // xmax is 0 in a row that this statement inserted.
          .returning(['id', 'release_id', 'parked_at', sql<boolean>`xmax <> 0`.as('duplicate')])
          .executeTakeFirstOrThrow();
        const isKnown = delivery !== '' && !(await noteDelivery(tx, repository, delivery, row.id));
        if (isKnown && row.parked_at) {
          const awake = { parked_at: null, failures: 0 };
          await tx.updateTable('inbox').set(awake).where('id', '=', row.id).execute();
        }
        if (ignored === undefined) await notifyInbox(tx);
        return {
          id: row.id,
          duplicate: row.duplicate,
          ...(row.release_id === null ? {} : { releaseId: row.release_id }),
        };
      }),

    /**
     * Stores a head that the poll found, unless it has a release, waits for one already, or is parked;
     * answers which of these it is.
     */
    addHead: (head: FoundHead): Promise<'released' | 'waiting' | 'parked' | 'stored'> =>
      db.transaction().execute(async (tx) => {
        const { repository, ref, commit } = head;
        const open = await tx
          .selectFrom('inbox')
          .select('parked_at')
          .where('repository', '=', repository)
          .where('after', '=', commit)
          .where('done_at', 'is', null)
          .orderBy('parked_at', (order) => order.nullsFirst())
          .executeTakeFirst();
        if (open) return open.parked_at === null ? 'waiting' : 'parked';
        const release = await tx
          .selectFrom('releases')
          .select('id')
          .where('repository', '=', repository)
          .where('commit', '=', commit)
          .executeTakeFirst();
        if (release) return 'released';
        const stored = await tx
          .insertInto('inbox')
          .values({ id: newId('inb'), source: 'poll', repository, ref, after: commit })
          .onConflict((conflict) =>
            conflict
              .columns(['repository', 'after'])
              .where('source', '=', 'poll')
              .where('done_at', 'is', null)
              .doNothing(),
          )
          .returning('id')
          .executeTakeFirst();
        if (!stored) return 'waiting';
        await notifyInbox(tx);
        return 'stored';
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
            .where('parked_at', 'is', null)
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
          claimed_until: null,
          failures: sql`failures + 1`,
          parked_at: sql<Date>`case when failures + 1 >= ${FAILURES_MAX} then now() end`,
          next_try_at: PAUSE,
          last_error: cleanText(error).slice(0, 500),
        })
        .where('id', 'in', [...ids])
        .where('done_at', 'is', null)
        .returning(['id', 'parked_at'])
        .execute();
      return rows.filter(({ parked_at }) => parked_at !== null).map(({ id }) => id);
    },
  };
}

/** Whether this delivery is a new one. */
async function noteDelivery(
  tx: Tx,
  repository: string,
  delivery: string,
  inboxId: string,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('deliveries')
    .values({ repository, delivery: cleanText(delivery), inbox_id: inboxId })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}
