import { isCancellation } from '@temporalio/workflow';
import type { PlanResult } from '../src/contract/workflow/activities.ts';
import type { DeploymentRef } from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import type { PlannedService, RolloutJudgement } from '../src/domain/services.ts';
import { onCluster, readRecorded, type Underway } from './activity-options.ts';
import { applyAndVerify } from './apply.ts';
import { rolloutInWords } from './details.ts';
import { failedActivity, type FailedActivity } from './failures.ts';
import type { GateWatch } from './gates.ts';
import type { Interruption } from './interruption.ts';
import { observing, type ObservedEnd } from './observe.ts';
import { patiently } from './patiently.ts';
import type { Progress } from './progress.ts';
import { restartAndVerify } from './restart.ts';

/** What is known of a deployment, from one attempt to the next. */
export interface Course {
  plan?: PlanResult;
  judgement?: RolloutJudgement | undefined;
  observed?: ObservedEnd;
  applied: boolean;
  /** From when Helm releases may change until it is known what became of them. */
  halfDone: boolean;
  /** As the first attempt that planned it found it: a later one finds what an earlier one left. */
  readonly touched: Map<string, PlannedService>;
  /** What each attempt was to apply, by its number. */
  readonly plans: Map<number, PlannedService[]>;
}

export interface AttemptParts {
  underway: Underway;
  deployment: DeploymentRef;
  gates: GateWatch;
  progress: Progress;
  interruption: Interruption;
  course: Course;
}

/**
 * One attempt: plans, applies and verifies, and notes in the course what became of it. The function that
 * it makes returns why the attempt failed, or nothing when the deployment succeeded.
 */
export function attempting(parts: AttemptParts): () => Promise<FailedActivity | undefined> {
  const { underway, deployment, gates, progress, interruption, course } = parts;
  const { repository, environment, force, kind, mode } = underway;
  const observe = observing(underway, (note, planned) =>
    progress.enter('verifying', note, planned),
  );

  return async () => {
    try {
      if (mode === 'observe') {
        await progress.enter('planning', 'Reading what the commit declares, to observe it');
        course.observed = await observe(deployment);
        return undefined;
      }
      const closed = (await gates.pass()) ?? (await planAndApply());
      return closed && { cause: closed, handedOver: false, lostTrack: false };
    } catch (error) {
      if (isCancellation(error)) throw error;
      return failedActivity(error);
    }
  };

  async function planAndApply(): Promise<CauseReport | undefined> {
    const plan = await makePlan();
    if (plan.services.length === 0) {
      await progress.enter('planning', 'Nothing to apply', plan);
      return undefined;
    }
    return (await gates.pass(plan.digest)) ?? (await apply(plan));
  }

  async function makePlan(): Promise<PlanResult> {
    const cluster = onCluster(underway);
    const say = (trouble = 'Reading what the commit declares') =>
      progress.enter('planning', trouble);
    await say();
    await patiently(() => cluster.checkout(deployment), say);
    course.judgement = undefined;
    course.applied = false;
    const recorded = await readRecorded({ repository, environment });
    const asked = { deployment, force, manual: kind !== 'automatic', recorded };
    const plan = await patiently(() => cluster.plan(asked), say);
    course.plan = plan;
    for (const service of plan.services) {
      if (!course.touched.has(service.name)) course.touched.set(service.name, service);
    }
    return plan;
  }

  async function apply(plan: PlanResult): Promise<CauseReport | undefined> {
    const { attempt } = progress;
    const names = plan.services.map(({ name }) => name).join(', ');
    interruption.giveWayFrom(false);
    const say = (trouble = `Applying ${names}`) => progress.enter('applying', trouble, plan);
    await say();
    course.halfDone = true;
    const onApplied = (trouble?: string) => {
      course.applied = true;
      course.halfDone = false;
      interruption.giveWayFrom(underway.overtakeVerifying === true);
      return progress.enter('verifying', trouble ?? rolloutInWords(plan, underway.rollout));
    };
    course.plans.set(attempt, plan.services);
    const { plans } = course;
    let verdict = await applyAndVerify(underway, deployment, attempt, plan, onApplied, plans, say);
    course.halfDone = false;
    interruption.giveWayFrom(false);
    if (!verdict.cause && plan.restart) {
      const tell = (note: string) => progress.enter('verifying', note);
      verdict = await restartAndVerify(underway, deployment, attempt, plan.restart, verdict, tell);
    }
    course.judgement = verdict.judgement;
    return verdict.cause;
  }
}
