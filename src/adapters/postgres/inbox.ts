import { sql } from 'kysely';
import { appendAudit } from './audit.ts';
import type { Db, Tx } from './database.ts';
import { notifyInbox } from './notifications.ts';
import { createInboxClaims } from './inbox-claims.ts';
import type { Asked, Pusher } from './releases.ts';
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

/** A branch and what it points at. */
interface FoundHead {
  repository: string;
  ref: string;
  commit: string;
}

/** What came in and is to be started: durable, so that an accepted event is never lost. */
export function createInbox(db: Db) {
  return {
    ...createInboxClaims(db),

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

    /** Asks for a look at a branch, whatever its head is; answers the row's id. */
    addLook: (look: { repository: string; ref: string; asked?: Asked }): Promise<string> =>
      db.transaction().execute(async (tx) => {
        const { repository, ref, asked } = look;
        const id = newId('inb');
        await tx.insertInto('inbox').values({ id, source: 'poll', repository, ref }).execute();
        if (asked) {
          await appendAudit(tx, { ...asked, action: 'repository.poll', subject: repository });
        }
        await notifyInbox(tx);
        return id;
      }),
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
