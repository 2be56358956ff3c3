import { sql } from 'kysely';
import type { Db, Tx } from './database.ts';

/**
 * Who pushed or merged what deployments bring to their environments, by deployment, as the forge's webhooks
 * said: those of its release, and of every release since the one that succeeded there last. Such as
 * `github:4711`. A release that was found by polling has no author that the forge vouches for; the commit's
 * own text does not count.
 */
export async function authorsOf(
  db: Db | Tx,
  deploymentIds: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  // After a rollback the next commit brings again what was taken back: hence also the newest good one.
  const { rows } = await sql<{ id: string; forge_user: string }>`
    with change as (
      select deployment.id, deployment.repository, deployment.environment, release.number
      from deployments deployment join releases release on release.id = deployment.release_id
      where deployment.id = any(${[...deploymentIds]})
    ), good as (
      select change.id, release.number, deployment.ended_at, release.number < change.number as before
      from change
      join deployments deployment using (repository, environment)
      join releases release on release.id = deployment.release_id
      where deployment.phase in ('succeeded', 'unchanged')
    ), since as (
      select change.id, least(
        coalesce((select max(good.number) from good where good.id = change.id and before), 0),
        coalesce((select good.number from good where good.id = change.id order by ended_at desc limit 1), 0)
      ) as number
      from change
    )
    select distinct change.id, pushers.forge_user
    from change
    join since using (id)
    join releases release
      on release.repository = change.repository
      and release.number > since.number and release.number <= change.number
    join pushers on pushers.release_id = release.id`.execute(db);
  const authors = new Map<string, Set<string>>();
  for (const { id, forge_user: forgeUser } of rows) {
    authors.set(id, (authors.get(id) ?? new Set()).add(forgeUser));
  }
  return authors;
}
