import type { Stop } from '../../contract/api/gates.ts';
import { appendAudit } from './audit.ts';
import type { Db } from './database.ts';
import type { Asked } from './releases.ts';
import { cleanText, iso, newId, NOW } from './values.ts';

/** Stops: the line is stopped, everywhere or for a cluster, until a person removes the stop. */
export function createStops(db: Db) {
  return {
    /** Undefined when there is such a stop already. */
    add: (input: { cluster?: string; reason: string } & Asked): Promise<Stop | undefined> =>
      db.transaction().execute(async (tx) => {
        const { cluster = null, reason, actor, requestId } = input;
        const row = await tx
          .insertInto('stops')
          .values({ id: newId('stp'), cluster, reason: cleanText(reason), stopped_by: actor })
          .onConflict((conflict) => conflict.doNothing())
          .returningAll()
          .executeTakeFirst();
        if (!row) return undefined;
        const details = { cluster: cluster ?? 'all', reason };
        await appendAudit(tx, { actor, action: 'stop.add', subject: row.id, requestId, details });
        return toStop(row);
      }),

    /** The stop that it ended; undefined when there is none of this id. */
    remove: ({ id, actor, requestId }: { id: string } & Asked): Promise<Stop | undefined> =>
      db.transaction().execute(async (tx) => {
        const row = await tx
          .updateTable('stops')
          .set({ ended_at: NOW, ended_by: actor })
          .where('id', '=', id)
          .where('ended_at', 'is', null)
          .returningAll()
          .executeTakeFirst();
        if (!row) return undefined;
        await appendAudit(tx, { actor, action: 'stop.remove', subject: id, requestId });
        return toStop(row);
      }),

    /** Those in force, the oldest first. */
    list: async (): Promise<Stop[]> => {
      const rows = await db
        .selectFrom('stops')
        .selectAll()
        .where('ended_at', 'is', null)
        .orderBy('since')
        .execute();
      return rows.map(toStop);
    },
  };
}

interface StopRow {
  id: string;
  cluster: string | null;
  reason: string;
  stopped_by: string;
  since: Date;
}

function toStop({ id, cluster, reason, stopped_by: by, since }: StopRow): Stop {
  return { id, cluster, reason, by, since: iso(since) };
}
