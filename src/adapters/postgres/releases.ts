import type { Release, ReleasePage } from '../../contract/api/release.ts';
import type { ReleaseInput } from '../../contract/workflow/payloads.ts';
import type { ReleasePhase } from '../../domain/phases.ts';
import { appendAudit } from './audit.ts';
import type { Db, Tx } from './database.ts';
import { shortNumber } from './deployment-rows.ts';
import { findOpenRuns } from './open-runs.ts';
import { isActive, lockRelease } from './release-phase.ts';
import { findRelease, withDeployments } from './release-rows.ts';
import { countRun, orderRun } from './run-orders.ts';
import { cleanText, newId } from './values.ts';

/** What the relay needs of a release to start it. */
export interface ReleaseHandle {
  id: string;
  number: number;
  repository: string;
  commit: string;
  kind: 'automatic' | 'manual';
  /** Temporal has had its first run. */
  handedOver: boolean;
}

/** Who asked through the API. */
export interface Asked {
  actor: string;
  requestId: string;
}

export interface ReleaseFilter {
  repository?: string;
  environment?: string;
  phase?: ReleasePhase;
  limit: number;
  cursor?: string;
}

export function createReleases(db: Db) {
  return {
    /**
     * The release of a commit; made when there is none. The inbox's `rows` that led to it keep it: when
     * it cannot be started now they start this one later, also when the branch has moved on.
     */
    upsert: (
      input: NewRelease & { rows?: readonly string[] },
    ): Promise<{ release: ReleaseHandle; created: boolean }> =>
      db.transaction().execute(async (tx) => {
        const answer = await upsert(tx, input);
        await notePushers(tx, answer.release.id, input.pushers ?? []);
        if (input.rows) {
          await tx
            .updateTable('inbox')
            .set({ release_id: answer.release.id })
            .where('id', 'in', [...input.rows])
            .execute();
        }
        return answer;
      }),

    handle: (id: string): Promise<ReleaseHandle | undefined> => findHandle(db, { id }),

    /** A release that a person asks for, and the order to start it, unless the commit has one. */
    request: (
      input: { repository: string; commit: string } & Asked,
    ): Promise<{ id: string; number: number; created: boolean }> =>
      db.transaction().execute(async (tx) => {
        const { release, created } = await upsert(tx, { ...input, kind: 'manual' });
        if (created) {
          const { actor, requestId } = input;
          await orderRun(tx, { release, run: 0, kind: 'manual', force: false });
          await appendAudit(tx, {
            actor,
            action: 'release.create',
            subject: release.id,
            requestId,
          });
        }
        return { id: release.id, number: release.number, created };
      }),

    /** One more run of a release; refused while one is on its way. */
    addRun: (
      input: {
        releaseId: string;
        environments?: string[];
        force: boolean;
        reason?: string;
      } & Asked,
    ): Promise<{ run: number } | { refused: 'active' }> =>
      db.transaction().execute(async (tx) => {
        const release = await lockRelease(tx, input.releaseId);
        if (!release) throw new Error(`release ${input.releaseId} is not in the store`);
        if (isActive(release.phase)) return { refused: 'active' as const };
        const run = await countRun(tx, release);
        const { environments, force, reason, actor, requestId } = input;
        const chosen = environments ? { environments } : {};
        await orderRun(tx, { release, run, kind: 'manual', force, ...chosen });
        await appendAudit(tx, {
          actor,
          action: 'release.rerun',
          subject: release.id,
          requestId,
          details: { run, force, environments: environments ?? 'all', reason: reason ?? '' },
        });
        return { run };
      }),

    /** What is on its way, as it was asked for. */
    openRuns: (options: { limit: number }): Promise<ReleaseInput[]> => findOpenRuns(db, options),

    find: (idOrNumber: string): Promise<Release | undefined> => findRelease(db, idOrNumber),

    /** Newest first. */
    list: async (filter: ReleaseFilter): Promise<ReleasePage> => {
      const { repository, environment, phase, cursor, limit } = filter;
      let query = db.selectFrom('releases').selectAll();
      if (repository !== undefined) query = query.where('repository', '=', repository);
      if (phase !== undefined) query = query.where('phase', '=', phase);
      if (environment !== undefined) {
        query = query.where('id', 'in', (of) =>
          of
            .selectFrom('deployments')
            .select('release_id')
            .where('deployments.environment', '=', environment),
        );
      }
      if (cursor !== undefined) query = query.where('number', '<', shortNumber(cursor) ?? 0);
      const rows = await query
        .orderBy('number', 'desc')
        .limit(limit + 1)
        .execute();
      const items = await withDeployments(db, rows.slice(0, limit));
      return { items, nextCursor: rows.length > limit ? String(items.at(-1)?.number) : null };
    },
  };
}

/** Whoever pushed, as the forge knows them. */
export interface Pusher {
  /** Such as `github:4711`; a login can change hands, this cannot. */
  forgeUser: string;
  login: string;
}

interface NewRelease {
  repository: string;
  commit: string;
  kind: 'automatic' | 'manual';
  actor?: string;
  /** Those whose pushes led to it; they are added to those that are known. */
  pushers?: readonly Pusher[];
}

async function upsert(
  tx: Tx,
  { repository, commit, kind, actor }: NewRelease,
): Promise<{ release: ReleaseHandle; created: boolean }> {
  // Looked up first: an insert that conflicts would use up one of the short numbers.
  const known = await findHandle(tx, { repository, commit });
  if (known) return { release: known, created: false };
  const inserted = await tx
    .insertInto('releases')
    .values({ id: newId('rel'), repository, commit, kind, actor: actor ?? null })
    .onConflict((conflict) => conflict.columns(['repository', 'commit']).doNothing())
    .returning('id')
    .executeTakeFirst();
  const release = await findHandle(tx, { repository, commit });
  if (!release) throw new Error(`the release of ${commit} vanished`);
  return { release, created: inserted !== undefined };
}

async function notePushers(tx: Tx, releaseId: string, pushers: readonly Pusher[]): Promise<void> {
  if (pushers.length === 0) return;
  await tx
    .insertInto('pushers')
    .values(
      pushers.map(({ forgeUser, login }) => ({
        release_id: releaseId,
        forge_user: forgeUser,
        login: cleanText(login),
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function findHandle(
  db: Db | Tx,
  by: { id: string } | { repository: string; commit: string },
): Promise<ReleaseHandle | undefined> {
  const row = await db
    .selectFrom('releases')
    .select(['id', 'number', 'repository', 'commit', 'kind', 'handed_over_at'])
    .where((is) => is.and(by))
    .executeTakeFirst();
  if (!row) return undefined;
  const { handed_over_at, ...handle } = row;
  return { ...handle, handedOver: handed_over_at !== null };
}
