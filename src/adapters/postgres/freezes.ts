import type { Freeze } from '../../contract/api/gates.ts';
import { appendAudit } from './audit.ts';
import type { Db } from './database.ts';
import type { Asked } from './releases.ts';
import { cleanText, iso, newId, NOW } from './values.ts';

/** Of one environment, of a cluster, or of everything. */
export interface FreezeScope {
  cluster?: string;
  repository?: string;
  environment?: string;
}

/** Freezes that a person announced; those of the calendar are in the configuration. */
export function createFreezes(db: Db) {
  return {
    add: (
      input: FreezeScope & { from: string; until: string; reason: string } & Asked,
    ): Promise<Freeze> =>
      db.transaction().execute(async (tx) => {
        const { cluster, repository, environment, from, until, reason, actor, requestId } = input;
        const row = await tx
          .insertInto('freezes')
          .values({
            id: newId('frz'),
            cluster: cluster ?? null,
            repository: repository ?? null,
            environment: environment ?? null,
            reason: cleanText(reason),
            announced_by: actor,
            starts_at: new Date(from),
            ends_at: new Date(until),
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        const freeze = toFreeze(row);
        const { id: subject, ...details } = freeze;
        await appendAudit(tx, { actor, action: 'freeze.add', subject, requestId, details });
        return freeze;
      }),

    /** The freeze that it removed; undefined when there is none of this id. */
    remove: ({ id, actor, requestId }: { id: string } & Asked): Promise<Freeze | undefined> =>
      db.transaction().execute(async (tx) => {
        const row = await tx
          .updateTable('freezes')
          .set({ removed_at: NOW, removed_by: actor })
          .where('id', '=', id)
          .where('removed_at', 'is', null)
          .returningAll()
          .executeTakeFirst();
        if (!row) return undefined;
        await appendAudit(tx, { actor, action: 'freeze.remove', subject: id, requestId });
        return toFreeze(row);
      }),

    /** Those that are not over, the next first. */
    list: async (): Promise<Freeze[]> => {
      const rows = await db
        .selectFrom('freezes')
        .selectAll()
        .where('removed_at', 'is', null)
        .where('ends_at', '>', NOW)
        .orderBy('starts_at')
        .execute();
      return rows.map(toFreeze);
    },
  };
}

interface FreezeRow {
  id: string;
  cluster: string | null;
  repository: string | null;
  environment: string | null;
  reason: string;
  announced_by: string;
  starts_at: Date;
  ends_at: Date;
}

function toFreeze(row: FreezeRow): Freeze {
  const { id, cluster, repository, environment, reason } = row;
  return {
    ...{ id, cluster, repository, environment, reason, by: row.announced_by },
    from: iso(row.starts_at),
    until: iso(row.ends_at),
  };
}
