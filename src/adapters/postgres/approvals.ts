import type { ApprovalRequestPage } from '../../contract/api/approval-request.ts';
import type { Deployment } from '../../contract/api/deployment.ts';
import type { Verdict } from '../../domain/gates/facts.ts';
import { mayNotApprove, type ApprovalRefusal } from '../../domain/gates/may-approve.ts';
import { isEnd } from '../../domain/phases.ts';
import { listApprovalRequests, type ApprovalFilter } from './approval-requests.ts';
import { appendAudit } from './audit.ts';
import { authorsOf } from './authors.ts';
import type { Db, Tx } from './database.ts';
import { mustFindDeployment } from './deployment-details.ts';
import type { Asked } from './releases.ts';
import type { TokenPerson } from './tokens.ts';
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
  | { answer: 'known' | 'not-waiting' }
  | { answer: 'stale'; digest: string }
  | { answer: 'refused'; refused: ApprovalRefusal };

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

    /** What waits for approval, and whether this person may give it; nobody is a machine. */
    list: (filter: ApprovalFilter, asker: TokenPerson | undefined): Promise<ApprovalRequestPage> =>
      listApprovalRequests(db, filter, asker),

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
        const authors = await authorsOfOne(tx, deployment.id);
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
  const isAuthor = (await authorsOfOne(tx, deployment.id)).has(input.forgeUser ?? '');
  const refused = mayNotApprove(waiting, input, isAuthor, new Date().toISOString());
  const isNo = input.verdict === 'rejected' && refused?.refusal === 'author';
  if (refused && !isNo) return { answer: 'refused', refused };
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

async function authorsOfOne(tx: Tx, deploymentId: string): Promise<ReadonlySet<string>> {
  return (await authorsOf(tx, [deploymentId])).get(deploymentId) ?? new Set();
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
