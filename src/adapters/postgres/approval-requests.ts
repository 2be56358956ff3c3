import { sql } from 'kysely';
import type { ApprovalRequestPage } from '../../contract/api/approval-request.ts';
import { approvalStanding, countChanges } from '../../domain/gates/approval-standing.ts';
import { authorsOf } from './authors.ts';
import type { Db } from './database.ts';
import { shortNumber, summariesById } from './deployment-rows.ts';
import type { TokenPerson } from './tokens.ts';
import { iso } from './values.ts';

export interface ApprovalFilter {
  repository?: string;
  environment?: string;
  limit: number;
  cursor?: string;
}

/** The plans that wait for approval, the oldest deployment first, as they concern whoever asks. */
export async function listApprovalRequests(
  db: Db,
  filter: ApprovalFilter,
  asker: TokenPerson | undefined,
): Promise<ApprovalRequestPage> {
  let query = db
    .selectFrom('deployments')
    .innerJoin('plans', (join) =>
      join
        .onRef('plans.deployment_id', '=', 'deployments.id')
        .on('plans.digest', '=', sql<string>`waiting ->> 'digest'`),
    )
    .select(['id', 'number', 'digest', 'services', 'restart'])
    .where('phase', '=', 'waiting');
  for (const column of ['repository', 'environment'] as const) {
    if (filter[column] !== undefined) query = query.where(column, '=', filter[column]);
  }
  const { cursor, limit } = filter;
  if (cursor !== undefined) query = query.where('number', '>', shortNumber(cursor) ?? 0);
  const rows = await query
    .orderBy('number')
    .limit(limit + 1)
    .execute();
  const shown = rows.slice(0, limit);
  const ids = shown.map(({ id }) => id);
  const summaries = await summariesById(db, ids);
  const verdicts = await verdictsOn(db, ids);
  const authors = await authorsOf(db, ids);
  const now = new Date().toISOString();
  const items = shown.flatMap(({ id, digest, services, restart }) => {
    const deployment = summaries.find((one) => one.id === id);
    // It went on just now.
    if (deployment?.waiting?.digest !== digest) return [];
    const { waiting } = deployment;
    const known = {
      waiting,
      verdicts: verdicts.filter((one) => one.id === id),
      authors: authors.get(id) ?? new Set<string>(),
    };
    const { approvals, ...standing } = approvalStanding(known, asker, now);
    return {
      deployment,
      plan: { digest, ...countChanges(services), restart: restart?.length ?? 0 },
      ...standing,
      approvals: approvals.map(({ person, verdict, comment, at }) => ({
        ...{ person, verdict, comment, digest, at: iso(at) },
      })),
      since: waiting.since ?? null,
      expiresAt: waiting.until ?? null,
    };
  });
  return { items, nextCursor: rows.length > limit ? String(shown.at(-1)?.number) : null };
}

/** What was said of the plans that these deployments wait with, also of an earlier one with the same plan. */
function verdictsOn(db: Db, deploymentIds: readonly string[]) {
  return db
    .selectFrom('deployments')
    .innerJoin('approvals', (join) =>
      join
        .onRef('approvals.repository', '=', 'deployments.repository')
        .onRef('approvals.environment', '=', 'deployments.environment')
        .on('approvals.digest', '=', sql<string>`deployments.waiting ->> 'digest'`),
    )
    .select(['deployments.id', 'person', 'groups', 'verdict', 'comment', 'at'])
    .select('forge_user as forgeUser')
    .where('deployments.id', 'in', deploymentIds.length > 0 ? [...deploymentIds] : [''])
    .where('spent_at', 'is', null)
    .orderBy('at')
    .execute();
}
