import { sql } from 'kysely';
import type { InboxEntry, InboxPage, InboxState } from '../../contract/api/inbox.ts';
import { appendAudit } from './audit.ts';
import type { Db } from './database.ts';
import { notifyInbox } from './notifications.ts';
import type { Asked } from './releases.ts';
import { iso, NOW } from './values.ts';

const STATE = sql<InboxState>`case
  when ignored is not null then 'ignored'
  when done_at is not null then 'done'
  when parked_at is not null then 'parked'
  else 'waiting' end`;

const CONDITIONS = {
  waiting: sql<boolean>`done_at is null and parked_at is null`,
  parked: sql<boolean>`parked_at is not null`,
  done: sql<boolean>`done_at is not null and ignored is null`,
  ignored: sql<boolean>`ignored is not null`,
} satisfies Record<InboxState, unknown>;

/** The inbox as people see it, and what they and time do to it. */
export function createInboxEntries(db: Db) {
  const entries = () =>
    db
      .selectFrom('inbox')
      .select([
        ...(['id', 'source', 'repository', 'ref', 'before', 'after', 'tries'] as const),
        ...(['received_at', 'sender_login', 'release_id', 'ignored', 'last_error'] as const),
        STATE.as('state'),
        (is) =>
          is
            .selectFrom('deliveries')
            .whereRef('inbox_id', '=', 'inbox.id')
            .select(is.fn.countAll<string>().as('count'))
            .as('deliveries'),
      ]);

  const find = async (id: string): Promise<InboxEntry | undefined> => {
    const row = await entries().where('id', '=', id).executeTakeFirst();
    return row && toEntry(row);
  };

  return {
    find,

    /** Newest first; `cursor` is the id of the last one that was seen. */
    list: async (filter: {
      state?: InboxState;
      cursor?: string;
      limit: number;
    }): Promise<InboxPage> => {
      const { state, cursor, limit } = filter;
      let query = entries();
      if (state !== undefined) query = query.where(CONDITIONS[state]);
      if (cursor !== undefined) query = query.where('id', '<', cursor);
      const rows = await query
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      const items = rows.slice(0, limit).map(toEntry);
      return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },

    /** Wakes a parked row, with all its tries again; false when it is not parked. */
    revive: ({ id, actor, requestId }: { id: string } & Asked): Promise<boolean> =>
      db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('inbox')
          .set({ parked_at: null, failures: 0, next_try_at: NOW })
          .where('id', '=', id)
          .where('parked_at', 'is not', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        await appendAudit(tx, { actor, action: 'inbox.retry', subject: id, requestId });
        await notifyInbox(tx);
        return true;
      }),

    /**
     * Removes what was done with so long ago, at most `limit` rows; answers how many it were. What a
     * release stands on that has not ended stays.
     */
    sweep: async ({ keepDays, limit }: { keepDays: number; limit: number }): Promise<number> => {
      const { numDeletedRows } = await db
        .deleteFrom('inbox')
        .where('id', 'in', (old) =>
          old
            .selectFrom('inbox')
            .leftJoin('releases', 'releases.id', 'inbox.release_id')
            .select('inbox.id')
            .where('inbox.done_at', '<', sql<Date>`now() - ${keepDays} * interval '1 day'`)
            .where((is) =>
              is.or([is('inbox.release_id', 'is', null), is('releases.ended_at', 'is not', null)]),
            )
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

interface Row {
  id: string;
  source: InboxEntry['source'];
  repository: string;
  state: InboxState;
  received_at: Date;
  ref: string | null;
  before: string | null;
  after: string | null;
  sender_login: string | null;
  deliveries: string | null;
  tries: number;
  release_id: string | null;
  ignored: string | null;
  last_error: string | null;
}

function toEntry(row: Row): InboxEntry {
  const { id, source, repository, state, ref, before, after, tries, ignored } = row;
  return {
    ...{ id, source, repository, state, ref, before, after, tries, ignored },
    receivedAt: iso(row.received_at),
    sender: row.sender_login,
    deliveries: Number(row.deliveries ?? 0),
    releaseId: row.release_id,
    error: row.last_error,
  };
}
