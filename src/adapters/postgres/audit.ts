import { sql } from 'kysely';
import type { AskedFor } from '../../contract/api/deployment.ts';
import type { Db, Tx } from './database.ts';
import { iso, json } from './values.ts';

/** One thing that somebody did through the API. */
export interface AuditEntry {
  actor: string;
  /** Such as `release.rerun`. */
  action: string;
  /** Id of what it was done to. */
  subject: string;
  requestId: string;
  details?: Record<string, unknown>;
}

/** Appends to the audit; in the transaction of the change itself where there is one. */
export async function appendAudit(db: Db | Tx, entry: AuditEntry): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      request_id: entry.requestId,
      details: json(entry.details ?? {}),
    })
    .execute();
}

export function createAudit(db: Db) {
  return {
    append: (entry: AuditEntry) => appendAudit(db, entry),
  };
}

/** The run of a release in an environment. */
interface Run {
  releaseId: string;
  repository: string;
  environment: string;
  run: number;
}

/** Who asked for a run, why and when; undefined where it was a merge. */
export async function findAsked(db: Db, of: Run): Promise<AskedFor | undefined> {
  const run = sql<number>`coalesce((details ->> 'run')::integer, 0)`;
  const row = await db
    .selectFrom('audit')
    .select(['actor', 'at', 'details'])
    .where((is) =>
      is.or([
        is.and([
          is('subject', '=', of.releaseId),
          is('action', 'in', ['release.create', 'release.rerun']),
        ]),
        is.and([
          is('subject', '=', `${of.repository}/${of.environment}`),
          is('action', '=', 'environment.rollback'),
          is(sql`details ->> 'release'`, '=', of.releaseId),
        ]),
      ]),
    )
    .where(run, '=', of.run)
    .executeTakeFirst();
  if (!row) return undefined;
  const { reason } = row.details;
  return { by: row.actor, reason: typeof reason === 'string' ? reason : '', at: iso(row.at) };
}
