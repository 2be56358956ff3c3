import type { Selectable } from 'kysely';
import type { Release } from '../../contract/api/release.ts';
import type { Db, Tx } from './database.ts';
import { newestOfReleases, shortNumber } from './deployment-rows.ts';
import type { Tables } from './schema.ts';
import { iso } from './values.ts';

/** One release by its id or short number, as the API shows it. */
export async function findRelease(db: Db | Tx, idOrNumber: string): Promise<Release | undefined> {
  const number = shortNumber(idOrNumber);
  const rows = await db
    .selectFrom('releases')
    .selectAll()
    .where((is) => (number === undefined ? is('id', '=', idOrNumber) : is('number', '=', number)))
    .execute();
  const [release] = await withDeployments(db, rows);
  return release;
}

/** Releases as the API shows them, in the order given. */
export async function withDeployments(
  db: Db | Tx,
  rows: readonly Selectable<Tables['releases']>[],
): Promise<Release[]> {
  const newest = await newestOfReleases(
    db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => {
    const deployments = newest.filter(({ releaseId }) => releaseId === row.id);
    const isDeployed = (name: string) =>
      deployments.some(({ environment }) => environment === name);
    return {
      id: row.id,
      number: row.number,
      repository: row.repository,
      commit: row.commit,
      title: row.title,
      author: row.author,
      committedAt: iso(row.committed_at),
      kind: row.kind,
      actor: row.actor,
      phase: row.phase,
      runs: row.runs,
      createdAt: iso(row.created_at),
      endedAt: iso(row.ended_at),
      deployments,
      // A rerun may have deployed them all the same.
      untouched: row.untouched.filter((name) => !isDeployed(name)),
    };
  });
}
