import { sql, type Selectable } from 'kysely';
import type { Environment, EnvironmentPage } from '../../contract/api/environment.ts';
import type { Db } from './database.ts';
import { activeHolds } from './holds.ts';
import { summariesById } from './deployment-rows.ts';
import type { RecordedService } from '../../domain/plan/plan-services.ts';
import { readRecorded } from './services.ts';
import type { Tables } from './schema.ts';
import { iso } from './values.ts';

/** An environment as the configuration names it. */
export interface ConfiguredEnvironment {
  repository: string;
  name: string;
  cluster: string;
  namespace: string;
  /** Absent: deploys. */
  mode?: 'deploy' | 'observe';
}

export interface EnvironmentKey {
  repository: string;
  environment: string;
}

export function createEnvironments(db: Db) {
  return {
    /** Takes over the configuration's environments, in its order; what left it is shown no more. */
    sync: (environments: readonly ConfiguredEnvironment[]): Promise<void> =>
      db.transaction().execute(async (tx) => {
        // Servers that start together do this one after the other; readers do not wait.
        await sql`lock table environments in exclusive mode`.execute(tx);
        // First none, so that two environments can swap their namespaces.
        await tx.updateTable('environments').set({ configured: false }).execute();
        for (const [position, environment] of environments.entries()) {
          const { repository, name, cluster, namespace, mode = 'deploy' } = environment;
          const now = { cluster, namespace, mode, position, configured: true };
          await tx
            .insertInto('environments')
            .values({ repository, name, ...now })
            .onConflict((conflict) => conflict.columns(['repository', 'name']).doUpdateSet(now))
            .execute();
        }
      }),

    /** The commit from which later automatic ones must descend. */
    acceptedCommit: async (repository: string, name: string): Promise<string | undefined> => {
      const row = await db
        .selectFrom('environments')
        .select('accepted_commit')
        .where('repository', '=', repository)
        .where('name', '=', name)
        .executeTakeFirst();
      return row?.accepted_commit ?? undefined;
    },

    /** Notes the commit of a deployment, with what it says of the environment. */
    accept: async (
      input: EnvironmentKey & { commit: string; deploymentId: string },
    ): Promise<void> => {
      const { numUpdatedRows } = await db
        .updateTable('environments')
        .set((of) => ({
          accepted_commit: input.commit,
          accepted_inputs: of
            .selectFrom('deployments')
            .select('inputs')
            .where('id', '=', input.deploymentId),
        }))
        .where('repository', '=', input.repository)
        .where('name', '=', input.environment)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) {
        throw new Error(`environment ${input.repository}/${input.environment} is not in the store`);
      }
    },

    readRecorded: (environment: EnvironmentKey): Promise<RecordedService[]> =>
      readRecorded(db, environment),

    find: async (repository: string, name: string): Promise<Environment | undefined> => {
      const rows = await configured(db)
        .where('repository', '=', repository)
        .where('name', '=', name)
        .execute();
      const [environment] = await withState(db, rows);
      return environment;
    },

    /** In the order of the configuration. */
    list: async (filter: { limit: number; cursor?: string }): Promise<EnvironmentPage> => {
      const rows = await configured(db)
        .where('position', '>', filter.cursor === undefined ? -1 : Number(filter.cursor))
        .orderBy('position')
        .limit(filter.limit + 1)
        .execute();
      const shown = rows.slice(0, filter.limit);
      return {
        items: await withState(db, shown),
        nextCursor: rows.length > shown.length ? String(shown.at(-1)?.position) : null,
      };
    },
  };
}

function configured(db: Db) {
  return db
    .selectFrom('environments')
    .selectAll()
    .select((of) =>
      of
        .selectFrom('deployments')
        .select('deployments.id')
        .whereRef('deployments.repository', '=', 'environments.repository')
        .whereRef('deployments.environment', '=', 'environments.name')
        .orderBy('deployments.number', 'desc')
        .limit(1)
        .as('deployment_id'),
    )
    .select((of) =>
      of
        .selectFrom('drift')
        .select('drift.since')
        .whereRef('drift.repository', '=', 'environments.repository')
        .whereRef('drift.environment', '=', 'environments.name')
        .as('drift_since'),
    )
    .where('configured', '=', true);
}

type Row = Selectable<Tables['environments']> & {
  deployment_id: string | null;
  drift_since: Date | null;
};

async function withState(db: Db, rows: readonly Row[]): Promise<Environment[]> {
  if (rows.length === 0) return [];
  const deployments = await summariesById(
    db,
    rows.flatMap((row) => row.deployment_id ?? []),
  );
  const services = await db
    .selectFrom('services')
    .selectAll()
    .where((is) =>
      is(
        is.refTuple('repository', 'environment'),
        'in',
        rows.map((row) => is.tuple(row.repository, row.name)),
      ),
    )
    .orderBy('name')
    .execute();
  const holds = await activeHolds(db, rows);
  return rows.map((row) => ({
    repository: row.repository,
    name: row.name,
    cluster: row.cluster,
    namespace: row.namespace,
    mode: row.mode,
    acceptedCommit: row.accepted_commit,
    hold:
      holds.find((of) => of.repository === row.repository && of.name === row.name)?.hold ?? null,
    drift: row.drift_since ? { since: iso(row.drift_since) } : null,
    deployment: deployments.find(({ id }) => id === row.deployment_id) ?? null,
    services: services
      .filter((of) => of.repository === row.repository && of.environment === row.name)
      .map((service) => ({
        name: service.name,
        chart: service.chart,
        chartVersion: service.chart_version,
        commit: service.commit,
        deploymentId: service.deployment_id,
        since: iso(service.since),
      })),
  }));
}
