import { sql } from 'kysely';
import { END_PHASES, releasePhase, type ReleasePhase } from '../../domain/phases.ts';
import type { Tx } from './database.ts';

/** Locks a release, so that its phase follows from deployments that nobody changes meanwhile. */
export async function lockRelease(tx: Tx, releaseId: string) {
  return tx
    .selectFrom('releases')
    .select(['id', 'number', 'repository', 'commit', 'phase', 'runs', 'untouched'])
    .where('id', '=', releaseId)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** Derives the release's phase from the newest deployment of each environment; needs the lock. */
export async function refreshReleasePhase(tx: Tx, releaseId: string): Promise<void> {
  const newest = await tx
    .selectFrom('deployments')
    .distinctOn('environment')
    .select(['phase'])
    .where('release_id', '=', releaseId)
    .orderBy('environment')
    .orderBy('run', 'desc')
    .execute();
  const phase = releasePhase(newest.map((row) => row.phase));
  await tx
    .updateTable('releases')
    .set({ phase, ended_at: isActive(phase) ? null : sql<Date>`coalesce(ended_at, now())` })
    .where('id', '=', releaseId)
    .execute();
}

/** True while a run of the release is on its way. */
export function isActive(phase: ReleasePhase): boolean {
  return !(END_PHASES as readonly string[]).includes(phase);
}
