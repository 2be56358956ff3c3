import type { DeploymentSummary } from '../../contract/api/deployment.ts';
import type { Db, Tx } from './database.ts';
import { iso } from './values.ts';

/** Deployments as the API shows them. */
function summaries(db: Db | Tx) {
  return db
    .selectFrom('deployments')
    .innerJoin('releases', 'releases.id', 'deployments.release_id')
    .selectAll('deployments')
    .select(['releases.number as release_number', 'releases.commit', 'releases.title']);
}

type SummaryRow = Awaited<ReturnType<ReturnType<typeof summaries>['execute']>>[number];

function toSummary(row: SummaryRow): DeploymentSummary {
  return {
    id: row.id,
    number: row.number,
    releaseId: row.release_id,
    releaseNumber: row.release_number,
    repository: row.repository,
    environment: row.environment,
    cluster: row.cluster,
    namespace: row.namespace,
    commit: row.commit,
    title: row.title,
    run: row.run,
    kind: row.kind,
    mode: row.mode,
    phase: row.phase,
    note: row.note,
    cause: row.cause,
    attempt: row.attempt,
    retryAt: iso(row.retry_at),
    waiting: row.waiting,
    createdAt: iso(row.created_at),
    startedAt: iso(row.started_at),
    endedAt: iso(row.ended_at),
    durationMs:
      row.started_at && row.ended_at ? row.ended_at.getTime() - row.started_at.getTime() : null,
  };
}

/** One deployment by its id or short number. */
export async function findSummary(
  db: Db | Tx,
  idOrNumber: string,
): Promise<DeploymentSummary | undefined> {
  const number = shortNumber(idOrNumber);
  const row = await summaries(db)
    .where((is) =>
      number === undefined
        ? is('deployments.id', '=', idOrNumber)
        : is('deployments.number', '=', number),
    )
    .executeTakeFirst();
  return row && toSummary(row);
}

/** Those with these ids, in no order. */
export async function summariesById(
  db: Db | Tx,
  ids: readonly string[],
): Promise<DeploymentSummary[]> {
  if (ids.length === 0) return [];
  const rows = await summaries(db)
    .where('deployments.id', 'in', [...ids])
    .execute();
  return rows.map(toSummary);
}

/** The newest deployment of each environment of these releases. */
export async function newestOfReleases(
  db: Db | Tx,
  releaseIds: readonly string[],
): Promise<DeploymentSummary[]> {
  if (releaseIds.length === 0) return [];
  const rows = await summaries(db)
    .distinctOn(['deployments.release_id', 'deployments.environment'])
    .where('deployments.release_id', 'in', [...releaseIds])
    .orderBy('deployments.release_id')
    .orderBy('deployments.environment')
    .orderBy('deployments.run', 'desc')
    .execute();
  return rows.map(toSummary);
}

/** What ended well in an environment, with its release. */
export function goodDeployments(db: Db | Tx, place: { repository: string; environment: string }) {
  return db
    .selectFrom('deployments')
    .innerJoin('releases', 'releases.id', 'deployments.release_id')
    .where('deployments.repository', '=', place.repository)
    .where('deployments.environment', '=', place.environment)
    .where('deployments.phase', 'in', ['succeeded', 'unchanged']);
}

/** The number in a text such as `412`; undefined for an id. */
export function shortNumber(idOrNumber: string): number | undefined {
  return /^[1-9][0-9]{0,8}$/.test(idOrNumber) ? Number(idOrNumber) : undefined;
}
