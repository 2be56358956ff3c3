import { sql } from 'kysely';
import type { OutcomeRecord, PhaseRecord } from '../../contract/workflow/activities.ts';
import { ACTIVE_PHASES, isEnd, type DeploymentPhase } from '../../domain/phases.ts';
import type { ServiceRecord } from '../../domain/plan/service-records.ts';
import type { Db, Tx } from './database.ts';
import { lockRelease, refreshReleasePhase } from './release-phase.ts';
import { dropApprovals } from './approvals.ts';
import { storeObservation } from './observations.ts';
import { storeRecords } from './services.ts';
import { cleanText, json, NOW } from './values.ts';

/** Records may come twice, late or out of order: they only ever move a deployment forward. */

/** Notes what a deployment does; an end stays, and so does a later phase. */
export function recordPhase(db: Db, record: PhaseRecord): Promise<void> {
  return db.transaction().execute(async (tx) => {
    const deployment = await lock(tx, record.deploymentId);
    await storePlan(tx, deployment, record);
    if (isEnd(deployment.phase)) return;
    if (record.attempt > 0) await noteAttempt(tx, record);
    if (!isForward(deployment, record)) return;
    const started = record.phase !== 'queued' && record.phase !== 'waiting';
    const applied = record.phase === 'applying' || record.phase === 'verifying';
    await tx
      .updateTable('deployments')
      .set({
        phase: record.phase,
        attempt: record.attempt,
        note: cleanText(record.note),
        cause: record.cause ? json(record.cause) : null,
        retry_at: record.retryAt === undefined ? null : new Date(record.retryAt),
        waiting: record.waiting ? json(record.waiting) : null,
        ...(record.order === undefined ? {} : { record_order: record.order }),
        ...(started ? { started_at: sql<Date>`coalesce(started_at, now())` } : {}),
        ...(applied ? { applied_at: sql<Date>`coalesce(applied_at, now())` } : {}),
      })
      .where('id', '=', record.deploymentId)
      .execute();
    await refreshReleasePhase(tx, deployment.release_id);
  });
}

/** Notes the end of a deployment; the first one stands. */
export function recordOutcome(db: Db, record: OutcomeRecord): Promise<void> {
  return db.transaction().execute(async (tx) => {
    const deployment = await lock(tx, record.deploymentId);
    if (isEnd(deployment.phase)) return;
    if (record.attempt > 0) await openAttempt(tx, record);
    await closeAttempts(tx, record.deploymentId, record.attempt);
    if (record.cause) await explainAttempt(tx, record, record.cause);
    await tx
      .updateTable('deployments')
      .set({
        phase: record.phase,
        attempt: record.attempt,
        note: '',
        cause: record.cause ? json(record.cause) : null,
        retry_at: null,
        waiting: null,
        ended_at: NOW,
      })
      .where('id', '=', record.deploymentId)
      .execute();
    if (record.attempt > 0 && record.phase !== 'superseded') {
      await dropApprovals(tx, deployment);
    }
    if (record.observation) await storeObservation(tx, deployment.id, record.observation);
    await storeRecords(tx, deployment, record.records ?? succeededServices(record));
    await refreshReleasePhase(tx, deployment.release_id);
  });
}

/** The release first, as everywhere: two records that lock in one order cannot wait for each other. */
async function lock(tx: Tx, deploymentId: string) {
  const found = await tx
    .selectFrom('deployments')
    .select('release_id')
    .where('id', '=', deploymentId)
    .executeTakeFirst();
  const release = found && (await lockRelease(tx, found.release_id));
  if (!release) throw new Error(`deployment ${deploymentId} is not in the store`);
  const deployment = await tx
    .selectFrom('deployments')
    .select(['id', 'release_id', 'repository', 'environment', 'phase', 'attempt', 'record_order'])
    .where('id', '=', deploymentId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  return { ...deployment, commit: release.commit };
}

function isForward(
  now: { attempt: number; phase: DeploymentPhase; record_order: number },
  record: PhaseRecord,
): boolean {
  if (isEnd(now.phase)) return false;
  if (record.order !== undefined) return record.order > now.record_order;
  if (record.attempt !== now.attempt) return record.attempt > now.attempt;
  const phases: readonly string[] = ACTIVE_PHASES;
  return phases.indexOf(record.phase) >= phases.indexOf(now.phase);
}

/** A record of an attempt ends those before it; `retrying` ends its own and says why it failed. */
async function noteAttempt(tx: Tx, record: PhaseRecord): Promise<void> {
  await openAttempt(tx, record);
  const over = record.phase === 'retrying' ? record.attempt : record.attempt - 1;
  await closeAttempts(tx, record.deploymentId, over);
  if (record.phase === 'retrying' && record.cause) await explainAttempt(tx, record, record.cause);
}

async function openAttempt(tx: Tx, { deploymentId, attempt }: AttemptKey): Promise<void> {
  await tx
    .insertInto('attempts')
    .values({ deployment_id: deploymentId, number: attempt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function closeAttempts(tx: Tx, deploymentId: string, upTo: number): Promise<void> {
  await tx
    .updateTable('attempts')
    .set({ ended_at: NOW })
    .where('deployment_id', '=', deploymentId)
    .where('number', '<=', upTo)
    .where('ended_at', 'is', null)
    .execute();
}

async function explainAttempt(
  tx: Tx,
  { deploymentId, attempt }: AttemptKey,
  cause: NonNullable<PhaseRecord['cause']>,
): Promise<void> {
  await tx
    .updateTable('attempts')
    .set({ cause: json(cause) })
    .where('deployment_id', '=', deploymentId)
    .where('number', '=', attempt)
    .where('cause', 'is', null)
    .execute();
}

interface AttemptKey {
  deploymentId: string;
  attempt: number;
}

/** The plan of the latest attempt: it is what people approve. */
async function storePlan(tx: Tx, deployment: Parameters<typeof isForward>[0], record: PhaseRecord) {
  const { deploymentId, plan } = record;
  if (!plan) return;
  const found = {
    digest: plan.digest,
    services: json(plan.services),
    diff: plan.diff ? json(plan.diff) : null,
    restart: plan.restart ? json(plan.restart) : null,
  };
  const isNew = record.order !== undefined && isForward(deployment, record);
  await tx
    .insertInto('plans')
    .values({ deployment_id: deploymentId, ...found })
    .onConflict((conflict) => {
      const known = conflict.column('deployment_id');
      return isNew ? known.doUpdateSet({ ...found, created_at: NOW }) : known.doNothing();
    })
    .execute();
}

/** Of a record from before services had records of their own. */
function succeededServices({ phase, services = [] }: OutcomeRecord): ServiceRecord[] {
  return phase === 'succeeded'
    ? services.map((service) => ({ ...service, end: 'succeeded' as const }))
    : [];
}
