import type { Deployment } from '../../contract/api/deployment.ts';
import type { Verdict } from '../../domain/gates/facts.ts';
import { mayApprove } from '../../domain/gates/judge-approval.ts';
import { isEnd } from '../../domain/phases.ts';
import { appendAudit } from './audit.ts';
import { authorsOf } from './authors.ts';
import type { Db, Tx } from './database.ts';
import { mustFindDeployment } from './deployment-details.ts';
import type { Asked } from './releases.ts';
import { createTurns } from './turns.ts';
import { cleanText, newId, NOW } from './values.ts';

/** A plan of a deployment that somebody must approve. */
interface PlanKey {
  deploymentId: string;
  digest: string;
}

export interface VerdictInput extends PlanKey, Asked {
  person: string;
  forgeUser?: string;
  groups: readonly string[];
  verdict: Verdict['verdict'];
  comment: string;
}

/** What a person's verdict met; only `noted` changed something. */
type VerdictAnswer =
  | { answer: 'noted'; deployment: Deployment }
  | { answer: 'known' | 'author' | 'not-waiting' | 'expired' }
  | { answer: 'stale'; digest: string }
  | { answer: 'not-asked'; groups: readonly string[] };

// With the wait for a connection and for the row, an answer comes within the 8 s of database.ts.
const TURN_WAIT_MS = 4_000;

export function createApprovals(db: Db) {
  const inTurn = createTurns(TURN_WAIT_MS);
  return {
    /**
     * Notes what a person says of the plan that a deployment waits with. A person counts once for a plan;
     * the lock on the deployment and the unique index decide between requests that race.
     */
    add: (input: VerdictInput): Promise<VerdictAnswer> =>
      inTurn(input.deploymentId, () => db.transaction().execute((tx) => addVerdict(tx, input))),

    /**
     * Judges the verdicts on a plan, also those that an earlier deployment got for the same one, and uses
     * them up when that approves it: no other deployment can use them, and nobody can take them back.
     */
    decide: <T extends { answer: string }>(
      plan: PlanKey,
      judge: (verdicts: readonly Verdict[]) => T,
    ): Promise<T> =>
      db.transaction().execute(async (tx) => {
        const deployment = await lockDeployment(tx, plan.deploymentId);
        const authors = await authorsOf(tx, deployment);
        const rows = await usable(tx, deployment, plan.digest).execute();
        // Whoever became an author by a later commit with the same plan does not count any more.
        const answer = judge(
          rows.filter((row) => row.verdict === 'rejected' || !authors.has(row.forge_user ?? '')),
        );
        if (answer.answer !== 'approved') return answer;
        await tx
          .updateTable('approvals')
          .set({ spent_at: NOW, spent_by: deployment.id })
          .where('repository', '=', deployment.repository)
          .where('environment', '=', deployment.environment)
          .where('digest', '=', plan.digest)
          .where('spent_at', 'is', null)
          .execute();
        await tx
          .updateTable('deployments')
          .set({ waiting: null })
          .where('id', '=', deployment.id)
          .execute();
        return answer;
      }),
  };
}

/** Whatever approvals are left of an environment's plans cannot be used when its deployment has ended. */
export async function dropApprovals(
  tx: Tx,
  { repository, environment }: { repository: string; environment: string },
): Promise<void> {
  await tx
    .updateTable('approvals')
    .set({ spent_at: NOW })
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where('spent_at', 'is', null)
    .execute();
}

async function addVerdict(tx: Tx, input: VerdictInput): Promise<VerdictAnswer> {
  const deployment = await lockDeployment(tx, input.deploymentId);
  const { waiting, repository, environment } = deployment;
  const rows = await usable(tx, deployment, input.digest).execute();
  const known = rows.find(({ person }) => person === input.person);
  if (isEnd(deployment.phase)) return { answer: 'not-waiting' };
  if (known?.verdict === input.verdict) return { answer: 'known' };
  if (deployment.phase !== 'waiting' || waiting?.digest === undefined) {
    return { answer: 'not-waiting' };
  }
  if (waiting.digest !== input.digest) return { answer: 'stale', digest: waiting.digest };
  const late = waiting.until !== undefined && Date.parse(waiting.until) <= Date.now();
  if (late) return { answer: 'expired' };
  const { groups = [] } = waiting;
  if (!mayApprove(groups, input.groups)) {
    return { answer: 'not-asked', groups };
  }
  const isAuthor = (await authorsOf(tx, deployment)).has(input.forgeUser ?? '');
  if (isAuthor && input.verdict === 'approved') return { answer: 'author' };
  const { digest, person, verdict } = input;
  const comment = cleanText(input.comment);
  await tx
    .insertInto('approvals')
    .values({
      ...{ id: newId('apr'), repository, environment, digest, person, verdict, comment },
      deployment_id: deployment.id,
      forge_user: input.forgeUser ?? null,
      groups: [...input.groups],
    })
    .onConflict((conflict) =>
      conflict
        .columns(['repository', 'environment', 'digest', 'person'])
        .where('spent_at', 'is', null)
        .doUpdateSet({ verdict, comment, at: NOW }),
    )
    .execute();
  const { actor, requestId } = input;
  const action = verdict === 'approved' ? 'deployment.approve' : 'deployment.reject';
  const details = { digest, comment };
  await appendAudit(tx, { actor, action, subject: deployment.id, requestId, details });
  // Read here: what was noted must not be answered as not done because reading it failed.
  return { answer: 'noted', deployment: await mustFindDeployment(tx, deployment.id) };
}

async function lockDeployment(tx: Tx, deploymentId: string) {
  return tx
    .selectFrom('deployments')
    .select(['id', 'release_id', 'repository', 'environment', 'phase', 'waiting'])
    .where('id', '=', deploymentId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

/** Those that nobody used up, and those that this deployment did. */
function usable(
  tx: Tx,
  deployment: { id: string; repository: string; environment: string },
  digest: string,
) {
  return tx
    .selectFrom('approvals')
    .select(['person', 'groups', 'verdict', 'comment', 'forge_user'])
    .where('repository', '=', deployment.repository)
    .where('environment', '=', deployment.environment)
    .where('digest', '=', digest)
    .where((is) => is.or([is('spent_at', 'is', null), is('spent_by', '=', deployment.id)]));
}
