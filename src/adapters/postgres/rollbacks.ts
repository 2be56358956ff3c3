import { isEnd } from '../../domain/phases.ts';
import { appendAudit } from './audit.ts';
import type { Db, Tx } from './database.ts';
import { goodDeployments, shortNumber } from './deployment-rows.ts';
import { holdEnvironment } from './holds.ts';
import { lockRelease } from './release-phase.ts';
import type { Asked } from './releases.ts';
import { countRun, orderRun } from './run-orders.ts';

/** Rollbacks: an earlier release of an environment is deployed again, on purpose. */

export interface RollbackInput extends Asked {
  repository: string;
  /** Of the environment. */
  name: string;
  /** A release's id, short number or commit, or the id of one of its deployments there. */
  to: string;
  reason: string;
}

/** A release to which an environment can go back. */
export interface GoodRelease {
  number: number;
  commit: string;
}

export type RollbackAnswer =
  | { answer: 'ordered'; releaseId: string }
  /** The environment knows no such release. */
  | { answer: 'unknown' }
  /** It never ended well there; `good` did, the newest first. */
  | { answer: 'never-good'; number: number; good: GoodRelease[] }
  /** It is on its way there already. */
  | { answer: 'active'; number: number };

const GOOD_SHOWN = 5;

export function createRollbacks(db: Db) {
  return {
    /**
     * Orders a rollback and holds the environment, both or neither: held from now on, so that nothing
     * newer comes between. A hold that it had is replaced.
     */
    order: (input: RollbackInput): Promise<RollbackAnswer> =>
      db.transaction().execute((tx) => orderRollback(tx, input)),
  };
}

async function orderRollback(tx: Tx, input: RollbackInput): Promise<RollbackAnswer> {
  const { repository, name, reason, actor, requestId } = input;
  const found = await findTarget(tx, input);
  const release = found && (await lockRelease(tx, found));
  if (!release) return { answer: 'unknown' };
  const { id: releaseId, number } = release;
  const good = goodDeployments(tx, { repository, environment: name })
    .select(['releases.number', 'releases.commit'])
    .distinct();
  if (!(await good.where('releases.id', '=', releaseId).executeTakeFirst())) {
    const newest = good.orderBy('releases.number', 'desc').limit(GOOD_SHOWN);
    return { answer: 'never-good', number, good: await newest.execute() };
  }
  // What the release does elsewhere, such as waiting for an approval, keeps nobody from going back here.
  if (release.phase === 'queued' || (await isOnItsWay(tx, input, releaseId))) {
    return { answer: 'active', number };
  }
  const run = await countRun(tx, release);
  await orderRun(tx, {
    ...{ release: { id: releaseId, repository }, run, kind: 'rollback' },
    ...{ environments: [name], force: false },
  });
  const back = `Rolled back to release #${number} (${release.commit.slice(0, 8)}): ${reason}`;
  await holdEnvironment(tx, { repository, name, actor, requestId, reason: back });
  await appendAudit(tx, {
    ...{ actor, action: 'environment.rollback', subject: `${repository}/${name}`, requestId },
    details: { release: releaseId, number, commit: release.commit, run, reason },
  });
  return { answer: 'ordered', releaseId };
}

/** The id of the release that is meant, if this environment knows it. */
async function findTarget(tx: Tx, { repository, name, to }: RollbackInput) {
  const number = shortNumber(to);
  const row = await tx
    .selectFrom('deployments')
    .innerJoin('releases', 'releases.id', 'deployments.release_id')
    .select('releases.id')
    .where('deployments.repository', '=', repository)
    .where('deployments.environment', '=', name)
    .where((is) =>
      number === undefined
        ? is.or([
            is('releases.id', '=', to),
            is('releases.commit', '=', to),
            is('deployments.id', '=', to),
          ])
        : is('releases.number', '=', number),
    )
    .executeTakeFirst();
  return row?.id;
}

async function isOnItsWay(
  tx: Tx,
  { repository, name }: { repository: string; name: string },
  releaseId: string,
): Promise<boolean> {
  const newest = await tx
    .selectFrom('deployments')
    .select('phase')
    .where('repository', '=', repository)
    .where('environment', '=', name)
    .where('release_id', '=', releaseId)
    .orderBy('run', 'desc')
    .executeTakeFirst();
  return newest !== undefined && !isEnd(newest.phase);
}
