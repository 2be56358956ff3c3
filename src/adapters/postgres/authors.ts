import type { Tx } from './database.ts';

interface Change {
  id: string;
  release_id: string;
  repository: string;
  environment: string;
}

/**
 * Who pushed or merged what a deployment brings to its environment, as the forge's webhooks said: those of
 * its release, and of every release since the one that succeeded there last. Such as `github:4711`. A
 * release that was found by polling has no author that the forge vouches for; the commit's own text does not count.
 */
export async function authorsOf(tx: Tx, deployment: Change): Promise<ReadonlySet<string>> {
  const { repository, environment } = deployment;
  const { number } = await tx
    .selectFrom('releases')
    .select('number')
    .where('id', '=', deployment.release_id)
    .executeTakeFirstOrThrow();
  const last = await tx
    .selectFrom('deployments')
    .innerJoin('releases', 'releases.id', 'deployments.release_id')
    .select((is) => is.fn.max('releases.number').as('number'))
    .where('deployments.repository', '=', repository)
    .where('deployments.environment', '=', environment)
    .where('deployments.phase', 'in', ['succeeded', 'unchanged'])
    .where('releases.number', '<', number)
    .executeTakeFirst();
  const pushes = await tx
    .selectFrom('pushers')
    .innerJoin('releases', 'releases.id', 'pushers.release_id')
    .select('pushers.forge_user')
    .where('releases.repository', '=', repository)
    .where('releases.number', '>', last?.number ?? 0)
    .where('releases.number', '<=', number)
    .execute();
  return new Set(pushes.map(({ forge_user: forgeUser }) => forgeUser));
}
