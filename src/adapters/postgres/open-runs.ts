import { sql } from 'kysely';
import type { ReleaseInput } from '../../contract/workflow/payloads.ts';
import type { Db } from './database.ts';

// Temporal has certainly been asked to start what is older.
const SETTLED = sql<Date>`now() - interval '30 seconds'`;

/** The runs of releases that have not ended, as they were asked for; oldest first. */
export async function findOpenRuns(db: Db, { limit }: { limit: number }): Promise<ReleaseInput[]> {
  const rows = await db
    .selectFrom('releases')
    // The latest, which may have no deployments yet, and those whose deployments have not ended.
    .innerJoinLateral(
      (of) =>
        of
          .selectFrom('deployments')
          .select('deployments.run')
          .whereRef('deployments.release_id', '=', 'releases.id')
          .where('deployments.ended_at', 'is', null)
          .union(
            of
              .selectFrom('releases as latest')
              .select('latest.runs as run')
              .whereRef('latest.id', '=', 'releases.id'),
          )
          .as('open'),
      (join) => join.onTrue(),
    )
    // What a person asked for; a merge asks for nothing in particular.
    .leftJoin('inbox', (join) =>
      join
        .onRef('inbox.release_id', '=', 'releases.id')
        .onRef('inbox.run', '=', 'open.run')
        .on('inbox.source', '=', 'api'),
    )
    .select(['releases.id', 'releases.number', 'releases.repository', 'releases.commit'])
    .select(['releases.kind as merged', 'open.run'])
    .select(['inbox.kind', 'inbox.environments', 'inbox.force'])
    .where('releases.ended_at', 'is', null)
    .where('releases.created_at', '<', SETTLED)
    .orderBy('releases.number')
    .limit(limit)
    .execute();
  return rows.map(({ id, number, repository, commit, merged, run, kind, environments, force }) => ({
    ...{ releaseId: id, releaseNumber: number, repository, commit, run },
    kind: kind ?? merged,
    force: force ?? false,
    ...(environments ? { environments } : {}),
  }));
}
