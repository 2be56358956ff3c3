import type { Selectable } from 'kysely';
import type { Release } from '../../contract/api/release.ts';
import { releaseNote } from '../../domain/release-note.ts';
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
  const notes = await notesOf(
    db,
    rows.filter(
      ({ id, ended_at }) => ended_at === null && !newest.some(({ releaseId }) => releaseId === id),
    ),
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
      note: notes.get(row.id) ?? '',
      runs: row.runs,
      createdAt: iso(row.created_at),
      endedAt: iso(row.ended_at),
      deployments,
      // A rerun may have deployed them all the same.
      untouched: row.untouched.filter((name) => !isDeployed(name)),
    };
  });
}

/** Why these releases, of which nothing is under way, do not begin. */
async function notesOf(
  db: Db | Tx,
  releases: readonly { id: string }[],
): Promise<ReadonlyMap<string, string>> {
  if (releases.length === 0) return new Map();
  const rows = await db
    .selectFrom('releases')
    .leftJoin('inbox', (join) =>
      join.onRef('inbox.release_id', '=', 'releases.id').on('inbox.done_at', 'is', null),
    )
    .leftJoin('polls', 'polls.repository', 'releases.repository')
    .distinctOn('releases.id')
    .select(['releases.id', 'last_error', 'next_try_at', 'parked_at'])
    .select(['polls.error', 'failing_since'])
    .where(
      'releases.id',
      'in',
      releases.map(({ id }) => id),
    )
    // A row that is tried says more than one that is parked.
    .orderBy('releases.id')
    .orderBy('parked_at', (order) => order.nullsFirst())
    .execute();
  const now = new Date().toISOString();
  return new Map(
    rows.map(({ id, last_error: error, next_try_at: next, parked_at: parkedAt, ...row }) => {
      const handOver = next && { error, nextTryAt: iso(next), parked: parkedAt !== null };
      const git = row.failing_since && {
        ...{ sentence: row.error ?? '', since: iso(row.failing_since) },
      };
      return [id, releaseNote({ ...(handOver ? { handOver } : {}), ...(git ? { git } : {}) }, now)];
    }),
  );
}
