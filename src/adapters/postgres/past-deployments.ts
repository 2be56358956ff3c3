import { sql } from 'kysely';
import { isEnd, satisfies, type DeploymentPhase } from '../../domain/phases.ts';
import type { PastDeployment } from '../../domain/gates/dependency.ts';
import type { Db } from './database.ts';
import type { EnvironmentKey } from './environments.ts';
import { iso, json } from './values.ts';

/** A deployment that may have changed what runs, with the commit that says what it was to be. */
export interface PastRow extends Omit<PastDeployment, 'versions' | 'failed'> {
  id: string;
  releaseId: string;
  commit: string;
  /** Names of the services that failed in it and have not succeeded since. */
  failedServices: string[];
}

// More than anybody deploys while something soaks; where it were not, the soak would seem shorter.
const PAST_MAX = 100;

/** What was deployed in an environment, newest first: only what may have changed what runs there. */
export async function findPast(
  db: Db,
  { repository, environment }: EnvironmentKey,
): Promise<PastRow[]> {
  const rows = await db
    .selectFrom('deployments')
    .innerJoin('releases', 'releases.id', 'deployments.release_id')
    .select(['deployments.id', 'deployments.number', 'deployments.phase', 'deployments.ended_at'])
    .select(['releases.id as release_id', 'releases.number as release_number', 'releases.commit'])
    .select((of) =>
      of
        .selectFrom('service_failures')
        .select(sql<string[]>`coalesce(array_agg(name), '{}')`.as('names'))
        .whereRef('service_failures.deployment_id', '=', 'deployments.id')
        .as('failed_services'),
    )
    .where('deployments.repository', '=', repository)
    .where('deployments.environment', '=', environment)
    .where('deployments.started_at', 'is not', null)
    .where((is) =>
      is.or([
        is('deployments.applied_at', 'is not', null),
        is('deployments.phase', 'in', ['succeeded', 'unchanged']),
        // What another pipeline did there leaves no such mark.
        is('deployments.mode', '=', 'observe'),
      ]),
    )
    .orderBy('deployments.started_at', 'desc')
    .orderBy('deployments.number', 'desc')
    .limit(PAST_MAX)
    .execute();
  const past = rows.map((row): PastRow => ({
    ...{ id: row.id, number: row.number, commit: row.commit, state: stateOf(row.phase) },
    ...{ releaseId: row.release_id, releaseNumber: row.release_number },
    ...(row.ended_at ? { endedAt: iso(row.ended_at) } : {}),
    failedServices: row.failed_services ?? [],
  }));
  const [newest, ...older] = past;
  if (!newest) return past;
  const place = { repository, environment };
  const commit = newest.endedAt && (await findUntouching(db, place, newest.endedAt));
  return [{ ...newest, ...(commit ? { commit } : {}) }, ...older];
}

/** Services that ended well and were seen to be ill afterwards, as what slept may be when it wakes. */
export async function findDegraded(
  db: Db,
  { repository, environment }: EnvironmentKey,
): Promise<string[]> {
  const rows = await db
    .selectFrom('services')
    .innerJoin('health', 'health.deployment_id', 'services.deployment_id')
    .select('services.name')
    .where('services.repository', '=', repository)
    .where('services.environment', '=', environment)
    .where('health.state', '=', 'degraded')
    .where(
      sql<boolean>`health.services @> jsonb_build_array(
        jsonb_build_object('service', services.name, 'state', 'degraded'))`,
    )
    .execute();
  return rows.map(({ name }) => name);
}

/**
 * The newest commit since then that says the same of the environment. Environments that share a versions.yaml
 * are left untouched by changes of versions that only others read.
 */
async function findUntouching(
  db: Db,
  { repository, environment }: EnvironmentKey,
  since: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('releases')
    .select('commit')
    .where('repository', '=', repository)
    .where('created_at', '>', new Date(since))
    .where(sql<boolean>`untouched @> ${json([environment])}::jsonb`)
    .orderBy('number', 'desc')
    .executeTakeFirst();
  return row?.commit;
}

function stateOf(phase: DeploymentPhase): PastDeployment['state'] {
  if (satisfies(phase)) return 'good';
  if (phase === 'rolled-back') return 'undone';
  return isEnd(phase) ? 'bad' : 'under-way';
}
