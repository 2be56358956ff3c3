import { sql } from 'kysely';
import type { Deployment, DeploymentSummary } from '../../contract/api/deployment.ts';
import type { FreezeFact, GateFacts, OverridableGate, Waiting } from '../../domain/gates/facts.ts';
import { appendAudit } from './audit.ts';
import type { Db } from './database.ts';
import { mustFindDeployment } from './deployment-details.ts';
import { findSummary } from './deployment-rows.ts';
import type { EnvironmentKey } from './environments.ts';
import { findDegraded, findPast, type PastRow } from './past-deployments.ts';
import type { Asked } from './releases.ts';
import { cleanText, iso } from './values.ts';

/** A deployment at its gates, at a time (ISO 8601). */
export interface AtGates {
  deploymentId: string;
  repository: string;
  environment: string;
  cluster: string;
  now: string;
}

/** Where deployments wait: an environment's namespace. */
export interface WaitingLane {
  cluster: string;
  namespace: string;
}

export function createGates(db: Db) {
  return {
    /** What is in force for a deployment at a time; the configuration's freezes are not among it. */
    facts: async (at: AtGates): Promise<Omit<GateFacts, 'kind'>> => {
      const [hold, stops, freezes, overrides] = await Promise.all([
        findHold(db, at),
        findStops(db, at),
        findFreezes(db, at),
        db
          .selectFrom('overrides')
          .select('gate')
          .where('deployment_id', '=', at.deploymentId)
          .execute(),
      ]);
      const overridden = overrides.map(({ gate }) => gate);
      return { stops, freezes, overridden, ...(hold ? { hold } : {}) };
    },

    /** A deployment by its id. */
    deployment: (id: string): Promise<DeploymentSummary | undefined> => findSummary(db, id),

    /** What was deployed in an environment, newest first: only what may have changed what runs there. */
    past: (place: EnvironmentKey): Promise<PastRow[]> => findPast(db, place),

    /** Services of an environment that ended well and were seen to be ill afterwards. */
    degraded: (place: EnvironmentKey): Promise<string[]> => findDegraded(db, place),

    /** Lets one deployment pass a gate, and answers it; a second time it changes nothing. */
    override: (
      input: { deploymentId: string; gate: OverridableGate; reason: string } & Asked,
    ): Promise<Deployment> =>
      db.transaction().execute(async (tx) => {
        const { deploymentId, gate, reason, actor, requestId } = input;
        const row = { deployment_id: deploymentId, gate, reason: cleanText(reason) };
        const made = await tx
          .insertInto('overrides')
          .values({ ...row, overridden_by: actor })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (made.numInsertedOrUpdatedRows === 1n) {
          const action = 'deployment.override';
          const details = { gate, reason };
          await appendAudit(tx, { actor, action, subject: deploymentId, requestId, details });
        }
        return mustFindDeployment(tx, deploymentId);
      }),

    /** Where deployments wait that a change of this scope may concern. */
    waitingLanes: async (scope: {
      cluster?: string;
      repository?: string;
      environment?: string;
      reason?: Waiting['reason'];
    }): Promise<WaitingLane[]> => {
      let query = db
        .selectFrom('deployments')
        .select(['cluster', 'namespace'])
        .distinct()
        .where('phase', '=', 'waiting');
      for (const column of ['cluster', 'repository', 'environment'] as const) {
        if (scope[column] !== undefined) query = query.where(column, '=', scope[column]);
      }
      if (scope.reason !== undefined) {
        query = query.where(sql<string>`waiting ->> 'reason'`, '=', scope.reason);
      }
      return query.execute();
    },
  };
}

async function findHold(db: Db, { repository, environment, now }: AtGates) {
  const row = await db
    .selectFrom('holds')
    .select(['held_by as by', 'reason', 'since', 'until'])
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where('ended_at', 'is', null)
    .where((is) => is.or([is('until', 'is', null), is('until', '>', new Date(now))]))
    .executeTakeFirst();
  if (!row) return undefined;
  const { by, reason, since, until } = row;
  return { by, reason, since: iso(since), ...(until ? { until: iso(until) } : {}) };
}

async function findStops(db: Db, { cluster }: AtGates): Promise<GateFacts['stops']> {
  const rows = await db
    .selectFrom('stops')
    .select(['cluster', 'reason', 'stopped_by as by', 'since'])
    .where('ended_at', 'is', null)
    .where((is) => is.or([is('cluster', 'is', null), is('cluster', '=', cluster)]))
    .orderBy('since')
    .execute();
  return rows.map((row) => ({
    ...{ by: row.by, reason: row.reason, since: iso(row.since) },
    ...(row.cluster === null ? {} : { cluster: row.cluster }),
  }));
}

async function findFreezes(db: Db, at: AtGates): Promise<FreezeFact[]> {
  const now = new Date(at.now);
  const rows = await db
    .selectFrom('freezes')
    .select(['reason', 'announced_by as by', 'ends_at'])
    .where('removed_at', 'is', null)
    .where('starts_at', '<=', now)
    .where('ends_at', '>', now)
    .where((is) => is.or([is('cluster', 'is', null), is('cluster', '=', at.cluster)]))
    .where((is) =>
      is.or([
        is('environment', 'is', null),
        is.and({ repository: at.repository, environment: at.environment }),
      ]),
    )
    .execute();
  return rows.map(({ reason, by, ends_at }) => ({ reason, by, until: iso(ends_at) }));
}
