import type { Deployment } from '../../contract/api/deployment.ts';
import type { Approval } from '../../contract/api/gates.ts';
import { findAsked } from './audit.ts';
import type { Db, Tx } from './database.ts';
import { findSummary } from './deployment-rows.ts';
import { iso } from './values.ts';

/** All that the API shows of a deployment, by its id or short number. */
export async function findDeployment(
  db: Db | Tx,
  idOrNumber: string,
): Promise<Deployment | undefined> {
  const summary = await findSummary(db, idOrNumber);
  if (!summary) return undefined;
  const plan = await db
    .selectFrom('plans')
    // Without the diff, which can be large.
    .select(['digest', 'services', 'created_at', 'restart'])
    .where('deployment_id', '=', summary.id)
    .executeTakeFirst();
  const attempts = await db
    .selectFrom('attempts')
    .selectAll()
    .where('deployment_id', '=', summary.id)
    .orderBy('number')
    .execute();
  return {
    ...summary,
    asked: (await findAsked(db, summary)) ?? null,
    plan: plan
      ? {
          ...{ digest: plan.digest, createdAt: iso(plan.created_at), services: plan.services },
          restart: plan.restart ?? [],
        }
      : null,
    approvals: await listApprovals(db, summary.id),
    attempts: attempts.map((attempt) => ({
      number: attempt.number,
      startedAt: iso(attempt.started_at),
      endedAt: iso(attempt.ended_at),
      cause: attempt.cause,
    })),
  };
}

/** The same of one that is known to be there. */
export async function mustFindDeployment(db: Db | Tx, id: string): Promise<Deployment> {
  const deployment = await findDeployment(db, id);
  if (deployment) return deployment;
  throw new Error(`deployment ${id} is not in the store`);
}

/** What was said of the plans of a deployment, the oldest first. */
async function listApprovals(db: Db | Tx, deploymentId: string): Promise<Approval[]> {
  const rows = await db
    .selectFrom('approvals')
    .select(['person', 'verdict', 'comment', 'digest', 'at'])
    .where((is) =>
      is.or([is('deployment_id', '=', deploymentId), is('spent_by', '=', deploymentId)]),
    )
    .orderBy('at')
    .execute();
  return rows.map((row) => ({ ...row, at: iso(row.at) }));
}
