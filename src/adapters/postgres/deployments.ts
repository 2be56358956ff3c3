import { sql } from 'kysely';
import type { Deployment } from '../../contract/api/deployment.ts';
import type { Plan } from '../../contract/api/diff.ts';
import type { OutcomeRecord, PhaseRecord } from '../../contract/workflow/activities.ts';
import type { DeploymentEnd } from '../../contract/workflow/payloads.ts';
import type { PlanDiffRecord } from '../../contract/plan-sink.ts';
import type { DeploymentKind } from '../../domain/overtaking.ts';
import { isEnd } from '../../domain/phases.ts';
import type { Db } from './database.ts';
import { findDeployment } from './deployment-details.ts';
import { recordOutcome, recordPhase } from './deployment-records.ts';
import { lockRelease, refreshReleasePhase } from './release-phase.ts';
import { leavesUntouched } from './untouched.ts';
import { cleanText, iso, json, newId } from './values.ts';

/** The deployments of one run of a release, with what its commit says. */
export interface RunToCreate {
  releaseId: string;
  run: number;
  kind: DeploymentKind;
  title: string;
  author: string;
  committedAt: string;
  targets: readonly DeploymentTarget[];
}

interface DeploymentTarget {
  repository: string;
  environment: string;
  /** Absent: deploys. */
  mode?: 'deploy' | 'observe';
  cluster: string;
  namespace: string;
  /** Digest over what the commit says of it; without it the environment takes part. */
  inputs?: string;
  /** The accepted commit from which this one was seen to descend. */
  descendsFrom?: string;
}

export interface CreatedDeployment {
  environment: string;
  deploymentId: string;
  deploymentNumber: number;
  /** Where a workflow that was lost left it. */
  begun?: { attempt: number; order: number };
}

export function createDeployments(db: Db) {
  return {
    /** Writes the rows of a run where it takes part; asked again, it answers with those that are there. */
    createForRun: (input: RunToCreate): Promise<CreatedDeployment[]> => createForRun(db, input),

    recordPhase: (record: PhaseRecord): Promise<void> => recordPhase(db, record),
    recordOutcome: (record: OutcomeRecord): Promise<void> => recordOutcome(db, record),

    /** How a deployment ended, if it did. */
    findEnd: async (deploymentId: string): Promise<DeploymentEnd | undefined> => {
      const row = await db
        .selectFrom('deployments')
        .select(['environment', 'phase', 'cause'])
        .where('id', '=', deploymentId)
        .executeTakeFirst();
      if (!row || !isEnd(row.phase)) return undefined;
      const { environment, phase, cause } = row;
      return { deploymentId, environment, phase, ...(cause ? { cause } : {}) };
    },

    /** By id or short number. */
    find: (idOrNumber: string): Promise<Deployment | undefined> => findDeployment(db, idOrNumber),

    /** The cluster of a deployment. */
    clusterOf: async (deploymentId: string): Promise<string | undefined> => {
      const row = await db
        .selectFrom('deployments')
        .select('cluster')
        .where('id', '=', deploymentId)
        .executeTakeFirst();
      return row?.cluster;
    },

    /** Keeps what a plan changes; of two plans with the same digest the later one. */
    storePlanDiff: async ({ deploymentId, digest, diff }: PlanDiffRecord): Promise<void> => {
      await db
        .insertInto('plan_diffs')
        .values({ deployment_id: deploymentId, digest, diff: json(diff) })
        .onConflict((conflict) =>
          conflict.columns(['deployment_id', 'digest']).doUpdateSet({ diff: json(diff) }),
        )
        .execute();
    },

    /** The plan of a deployment with what it changes. */
    findPlan: async (deploymentId: string): Promise<Plan | undefined> => {
      const plan = await db
        .selectFrom('plans')
        .leftJoin('plan_diffs', (join) =>
          join
            .onRef('plan_diffs.deployment_id', '=', 'plans.deployment_id')
            .onRef('plan_diffs.digest', '=', 'plans.digest'),
        )
        .select(['plans.digest', 'services', 'plans.created_at', 'restart'])
        // Plans of before brought their diff along.
        .select((is) => is.fn.coalesce('plan_diffs.diff', 'plans.diff').as('diff'))
        .where('plans.deployment_id', '=', deploymentId)
        .executeTakeFirst();
      if (!plan) return undefined;
      const { digest, services, created_at: createdAt, diff, restart } = plan;
      return { digest, createdAt: iso(createdAt), services, restart: restart ?? [], diff };
    },
  };
}

function createForRun(db: Db, input: RunToCreate): Promise<CreatedDeployment[]> {
  return db.transaction().execute(async (tx) => {
    const { run, kind } = input;
    const release = await lockRelease(tx, input.releaseId);
    if (!release) throw new Error(`release ${input.releaseId} is not in the store`);
    await tx
      .updateTable('releases')
      .set({
        title: cleanText(input.title),
        author: cleanText(input.author),
        committed_at: new Date(input.committedAt),
        runs: sql<number>`greatest(runs, ${run})`,
      })
      .where('id', '=', release.id)
      .execute();
    const known = await tx
      .selectFrom('deployments')
      .select(['environment', 'id', 'number', 'attempt', 'record_order'])
      .where('release_id', '=', release.id)
      .where('run', '=', run)
      .execute();
    const created: CreatedDeployment[] = [];
    const untouched = run === 0 ? release.untouched : [];
    for (const { descendsFrom, ...target } of input.targets) {
      if (untouched.includes(target.environment)) continue;
      let row = known.find(({ environment }) => environment === target.environment);
      const asked = { ...target, ...(descendsFrom === undefined ? {} : { descendsFrom }) };
      if (!row && (await leavesUntouched(tx, asked, release.commit))) {
        untouched.push(target.environment);
        continue;
      }
      row ??= await tx
        .insertInto('deployments')
        .values({ id: newId('dep'), release_id: release.id, run, kind, ...target })
        .returning(['environment', 'id', 'number', 'attempt', 'record_order'])
        .executeTakeFirstOrThrow();
      created.push({
        environment: target.environment,
        deploymentId: row.id,
        deploymentNumber: row.number,
        ...(row.record_order > 0
          ? { begun: { attempt: row.attempt, order: row.record_order } }
          : {}),
      });
    }
    if (run === 0) {
      await tx
        .updateTable('releases')
        .set({ untouched: json(untouched) })
        .where('id', '=', release.id)
        .execute();
    }
    await refreshReleasePhase(tx, release.id);
    return created;
  });
}
