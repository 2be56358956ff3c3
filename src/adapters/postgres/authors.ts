import type { Tx } from './database.ts';
import { goodDeployments } from './deployment-rows.ts';

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
  const { number } = await tx
    .selectFrom('releases')
    .select('number')
    .where('id', '=', deployment.release_id)
    .executeTakeFirstOrThrow();
  const last = await goodDeployments(tx, deployment)
    .select((is) => is.fn.max('releases.number').as('number'))
    .where('releases.number', '<', number)
    .executeTakeFirst();
  // After a rollback the next commit brings again what was taken back.
  const newest = await goodDeployments(tx, deployment)
    .select('releases.number')
    .orderBy('deployments.ended_at', 'desc')
    .executeTakeFirst();
  const since = Math.min(last?.number ?? 0, newest?.number ?? 0);
  const pushes = await tx
    .selectFrom('pushers')
    .innerJoin('releases', 'releases.id', 'pushers.release_id')
    .select('pushers.forge_user')
    .where('releases.repository', '=', deployment.repository)
    .where('releases.number', '>', since)
    .where('releases.number', '<=', number)
    .execute();
  return new Set(pushes.map(({ forge_user: forgeUser }) => forgeUser));
}
