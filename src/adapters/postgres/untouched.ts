import { isUntouched } from '../../domain/takes-part.ts';
import type { Tx } from './database.ts';

/** An environment that may take part in a release, with what the commit says of it. */
interface Place {
  repository: string;
  environment: string;
  inputs?: string;
  descendsFrom?: string;
}

/**
 * Whether a commit leaves an environment untouched; then it is the one that the environment accepted last, so that
 * no older one comes after it. The environment is locked: what another release adds meanwhile comes later.
 */
export async function leavesUntouched(tx: Tx, place: Place, commit: string): Promise<boolean> {
  const { repository, environment: name } = place;
  const known = await tx
    .selectFrom('environments')
    .select(['accepted_commit as acceptedCommit', 'accepted_inputs as acceptedInputs'])
    .where('repository', '=', repository)
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirst();
  const newest = await tx
    .selectFrom('deployments')
    .select('phase')
    .where('repository', '=', repository)
    .where('environment', '=', name)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!known || !newest) return false;
  if (!isUntouched(place, { ...known, newestPhase: newest.phase })) return false;
  await tx
    .updateTable('environments')
    .set({ accepted_commit: commit })
    .where('repository', '=', repository)
    .where('name', '=', name)
    .execute();
  return true;
}
