import type { Db, Tx } from './database.ts';
import { json } from './values.ts';

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
