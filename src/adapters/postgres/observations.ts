import type { Agreement, AgreementReport } from '../../contract/api/agreement.ts';
import { OBSERVED_DIGEST } from '../../contract/plan-sink.ts';
import type { Observation } from '../../domain/observe/agreement.ts';
import type { Db, Tx } from './database.ts';
import { summariesById } from './deployment-rows.ts';
import { iso, json } from './values.ts';

/** What another pipeline did where Slipway observes. */
export function createObservations(db: Db) {
  return {
    /** The latest observed deployments of an environment, newest first. */
    report: async (
      place: { repository: string; environment: string },
      limit: number,
    ): Promise<AgreementReport> => {
      const { repository, environment } = place;
      const rows = await db
        .selectFrom('deployments')
        .leftJoin('observations', 'observations.deployment_id', 'deployments.id')
        .select(['deployments.id', 'verdict', 'services'])
        .where('repository', '=', repository)
        .where('environment', '=', environment)
        .where('mode', '=', 'observe')
        .orderBy('number', 'desc')
        .limit(limit)
        .execute();
      const deployments = await summariesById(
        db,
        rows.map(({ id }) => id),
      );
      const items = rows.flatMap(({ id, verdict, services }): AgreementReport['items'] => {
        const deployment = deployments.find((one) => one.id === id);
        if (!deployment) return [];
        return [{ deployment, verdict: verdict ?? 'not-compared', services: services ?? [] }];
      });
      const count = (wanted: Agreement['verdict']) =>
        items.filter(({ verdict }) => verdict === wanted).length;
      return {
        ...{ repository, environment },
        ...{ agreed: count('agreed'), disagreed: count('disagreed') },
        ...{ unchanged: count('unchanged'), notCompared: count('not-compared') },
        items,
      };
    },

    /** Of one deployment; undefined where it did not observe. */
    find: async (deploymentId: string): Promise<Agreement | undefined> => {
      const row = await db
        .selectFrom('deployments')
        .leftJoin('observations', 'observations.deployment_id', 'deployments.id')
        .leftJoin('plan_diffs', (join) =>
          join
            .onRef('plan_diffs.deployment_id', '=', 'deployments.id')
            .on('plan_diffs.digest', '=', OBSERVED_DIGEST),
        )
        .select(['verdict', 'observations.services', 'at', 'diff'])
        .where('deployments.id', '=', deploymentId)
        .where('mode', '=', 'observe')
        .executeTakeFirst();
      if (!row) return undefined;
      const { verdict, services, at, diff } = row;
      return {
        ...{ deploymentId, verdict: verdict ?? 'not-compared' },
        ...{ at: iso(at), services: services ?? [], diff },
      };
    },
  };
}

/** Keeps what came of observing a deployment; the first stands, as its end does. */
export async function storeObservation(
  tx: Tx,
  deploymentId: string,
  { verdict, services }: Observation,
): Promise<void> {
  await tx
    .insertInto('observations')
    .values({ deployment_id: deploymentId, verdict, services: json(services) })
    .execute();
}
