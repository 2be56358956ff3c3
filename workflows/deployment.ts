import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { DeploymentEnd, DeploymentRequest } from '../src/contract/workflow/payloads.ts';
import { afterFailure } from '../src/domain/attempts.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import { cancelledCause, supersededBy, type Left } from '../src/domain/overtaking.ts';
import { disagreementInWords } from '../src/domain/observe/agreement.ts';
import type { EndPhase } from '../src/domain/phases.ts';
import { isTakenBack } from '../src/domain/rollback.ts';
import { recordsOf, type ServiceRecord } from '../src/domain/plan/service-records.ts';
import { recordOutcome, type Underway } from './activity-options.ts';
import { verify } from './apply.ts';
import { attempting, type Course } from './attempt.ts';
import { busyInWords, endInWords, rolloutInWords, subjectOf } from './details.ts';
import { watchGates } from './gates.ts';
import { healAfter, type Found } from './heal.ts';
import { Interruption } from './interruption.ts';
import type { ObservedEnd } from './observe.ts';
import { Progress } from './progress.ts';
import { takeBack } from './roll-back.ts';
import { tellUi } from './search-attributes.ts';
import { verifyAtWake } from './wake.ts';

const HAND_OVERS_MAX = 10;

/** One release in one environment: plans, applies and verifies, in attempts, and records its end. */
export async function deploymentWorkflow(request: DeploymentRequest): Promise<DeploymentEnd> {
  const { deploymentId, environment } = request;
  const ref = deploymentRef(request);
  const progress = new Progress(request);
  const course: Course = {
    applied: false,
    halfDone: false,
    touched: new Map(),
    plans: new Map(),
  };
  let takingBack = false;
  let found: Found | undefined;
  let lastFailure: Left['failed'];
  const gates = watchGates(
    request,
    (waiting) => progress.wait(waiting, course.plan),
    () => course.plans.size > 0,
  );
  const underway: Underway = {
    ...request,
    untilWorker: async () => {
      if (await gates.untilWorker()) await progress.enterAgain();
      else await progress.enterAgain(busyInWords(request.cluster));
    },
  };
  const interruption = new Interruption(request);
  const attemptOnce = attempting({
    ...{ underway, deployment: ref, gates, progress, interruption, course },
  });

  const finish = (phase: EndPhase, cause?: CauseReport, takenBack: ServiceRecord[] = []) =>
    // The end is written even when the deployment was cancelled.
    CancellationScope.nonCancellable(async (): Promise<DeploymentEnd> => {
      if (course.halfDone) await heal();
      const told = cause && {
        ...cause,
        sentence: `${cause.sentence} ${found?.sentence ?? ''}`.trimEnd(),
      };
      const end = { deploymentId, environment, phase, ...(told ? { cause: told } : {}) };
      const { observed, plan, judgement } = course;
      // Of what was observed, only what runs as the commit says is known.
      const known = observed ? { services: [], adopted: observed.adopted } : plan;
      const records = [...(known ? recordsOf(known, end, judgement) : []), ...takenBack];
      const seen = observed ? { observation: observed.observation } : {};
      const { attempt } = progress;
      await recordOutcome({ ...end, attempt, records, ...seen });
      if (phase === 'succeeded' && judgement) {
        await verifyAtWake(request, ref, attempt, judgement);
      }
      tellUi(phase, `${subjectOf(request)} ${endInWords(end)}`);
      return end;
    });

  try {
    return await interruption.scope.run(async () => {
      for (let counted = 0, handOvers = 0; ;) {
        progress.beginAttempt();
        const failure = await attemptOnce();
        if (!failure) return finishWell();
        if (failure.handedOver && handOvers < HAND_OVERS_MAX) handOvers += 1;
        else counted += 1;
        const after = failure.handedOver
          ? ({ next: 'retry', waitMs: 0 } as const)
          : afterFailure(failure.cause, counted, request.retry);
        if (after.next === 'end' || handOvers >= HAND_OVERS_MAX) {
          if (failure.lostTrack && (await wentWell())) return finishWell();
          return endBadly(after.next === 'end' ? after.phase : 'errored', failure.cause);
        }
        // The next attempt waits by itself until the lost worker's Lease may be taken.
        await pause(failure.lostTrack ? 0 : after.waitMs, failure.cause);
      }
    });
  } catch (error) {
    if (!isCancellation(error)) throw error;
    const left: Left = { applied: course.applied, takingBack, failed: lastFailure };
    const newer = interruption.supersededBy;
    if (newer) return finish('superseded', supersededBy(newer, left));
    return finish('cancelled', cancelledCause(interruption.cancelledBy, left));
  }

  /** What the plan touched is as it should be; what it left alone may still be failed. */
  function finishWell() {
    const { observed, plan } = course;
    if (observed) return finishObserved(observed);
    const blocked = plan?.untouched?.find(({ state }) => state === 'blocked');
    if (blocked?.cause) return finish('failed', blocked.cause);
    return finish(plan?.services.length === 0 ? 'unchanged' : 'succeeded');
  }

  async function heal(): Promise<void> {
    await progress.enter('applying', 'Healing what was left half-done');
    found = await healAfter(underway, ref, progress.attempt, [...course.touched.keys()]);
    course.halfDone = false;
  }

  /** A worker that was lost in the last attempt may have brought it to its end. */
  async function wentWell(): Promise<boolean> {
    const { plan } = course;
    if (!plan || plan.restart || !course.halfDone) return false;
    await heal();
    if (!found?.clean) return false;
    const say = (trouble?: string) =>
      progress.enter('verifying', trouble ?? rolloutInWords(plan, request.rollout));
    await say();
    const verdict = await verify(underway, ref, progress.attempt, plan, say);
    course.judgement = verdict.judgement;
    return !verdict.cause;
  }

  /** Never failed: nothing of it was ours. What comes after goes ahead only where both agree. */
  function finishObserved({ observation }: ObservedEnd) {
    if (observation.verdict === 'unchanged') return finish('unchanged');
    if (observation.verdict === 'agreed') return finish('succeeded');
    return finish('skipped', { code: 'observed', sentence: disagreementInWords(observation) });
  }

  /** Takes back what the deployment changed, where the configuration says so. */
  async function endBadly(phase: EndPhase, cause: CauseReport) {
    const takesBack = request.onFailure === 'rollback' && isTakenBack(phase, cause);
    const touched = [...course.touched.values()];
    if (!takesBack || touched.length === 0) return finish(phase, cause);
    interruption.giveWayFrom(false);
    takingBack = true;
    course.halfDone = true;
    await progress.enter('verifying', `Rolling back: ${cause.sentence}`);
    const { done, sentence, records } = await takeBack(underway, ref, progress.attempt, touched);
    if (done) course.halfDone = false;
    const told = { ...cause, sentence: `${cause.sentence} ${sentence}`.trimEnd() };
    return finish(done ? 'rolled-back' : phase, told, records);
  }

  async function pause(waitMs: number, cause: CauseReport) {
    lastFailure = { attempt: progress.attempt, cause };
    interruption.giveWayFrom(true);
    await progress.retry(waitMs, cause);
    await sleep(waitMs);
  }
}

function deploymentRef(request: DeploymentRequest) {
  const { deploymentId, repository, environment, cluster, namespace, commit } = request;
  return { deploymentId, repository, environment, cluster, namespace, commit };
}
