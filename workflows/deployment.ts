import {
  CancellationScope,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { PlanResult } from '../src/contract/workflow/activities.ts';
import {
  CANCEL_SIGNAL,
  SUPERSEDE_SIGNAL,
  type CancelInput,
  type SupersedeInput,
} from '../src/contract/workflow/messages.ts';
import type { DeploymentEnd, DeploymentRequest } from '../src/contract/workflow/payloads.ts';
import { afterFailure } from '../src/domain/attempts.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import { supersededBy, takesPlaceOf } from '../src/domain/overtaking.ts';
import type { Waiting } from '../src/domain/gates/facts.ts';
import { disagreementInWords } from '../src/domain/observe/agreement.ts';
import type { EndPhase } from '../src/domain/phases.ts';
import { isTakenBack } from '../src/domain/rollback.ts';
import { recordsOf, type ServiceRecord } from '../src/domain/plan/service-records.ts';
import type { PlannedService, RolloutJudgement } from '../src/domain/services.ts';
import {
  onCluster,
  readRecorded,
  recordOutcome,
  recordPhase,
  type Underway,
} from './activity-options.ts';
import { applyAndVerify, verify } from './apply.ts';
import { endInWords, subjectOf } from './details.ts';
import { failedActivity } from './failures.ts';
import { watchGates } from './gates.ts';
import { healAfter, type Found } from './heal.ts';
import { observing, type ObservedEnd } from './observe.ts';
import { patiently } from './patiently.ts';
import { restartAndVerify } from './restart.ts';
import { takeBack } from './roll-back.ts';
import { tellUi } from './search-attributes.ts';
import { verifyAtWake } from './wake.ts';

const cancel = defineSignal<[CancelInput]>(CANCEL_SIGNAL);
const supersede = defineSignal<[SupersedeInput]>(SUPERSEDE_SIGNAL);

const HAND_OVERS_MAX = 10;
const VERIFYING = 'Waiting until Kubernetes runs it';

/** One release in one environment: plans, applies and verifies, in attempts, and records its end. */
export async function deploymentWorkflow(request: DeploymentRequest): Promise<DeploymentEnd> {
  const { deploymentId, environment } = request;
  const ref = deploymentRef(request);
  const subject = subjectOf(request);
  const scope = new CancellationScope();
  let cancelledBy: string | undefined;
  let applied = false;
  let takingBack = false;
  // From when Helm releases may change until it is known what became of them.
  let halfDone = false;
  let found: Found | undefined;
  let plan: PlanResult | undefined;
  let judgement: RolloutJudgement | undefined;
  let attempt = request.begun?.attempt ?? 0;
  let lastFailure: { attempt: number; cause: CauseReport } | undefined;
  // As the first attempt that planned it found it: a later one finds what an earlier one left.
  const touched = new Map<string, PlannedService>();
  // What each attempt was to apply, by its number.
  const plans = new Map<number, PlannedService[]>();
  let recordCount = request.begun?.order ?? 0;
  // What the attempt does, to say so again after it had to wait in the middle.
  let doing: Parameters<typeof enter> | undefined;
  const gates = watchGates(request, wait);
  const underway: Underway = {
    ...request,
    untilWorker: async () => {
      if ((await gates.untilWorker()) && doing) await enter(...doing);
    },
  };
  const observe = observing(underway, (note, planned) => enter('verifying', note, planned));
  let observed: ObservedEnd | undefined;
  setHandler(cancel, ({ by }) => {
    cancelledBy = by;
    scope.cancel();
  });
  // Never while a process may change the cluster: what was begun is brought to its end.
  let mayGiveWay = true;
  let newer: SupersedeInput | undefined;
  const giveWayFrom = (may: boolean) => {
    mayGiveWay = may;
    if (may && newer) scope.cancel();
  };
  setHandler(supersede, (by) => {
    if (by.deploymentId === deploymentId || !takesPlaceOf(by, request)) return;
    newer = by;
    giveWayFrom(mayGiveWay);
  });

  const finish = (phase: EndPhase, cause?: CauseReport, takenBack: ServiceRecord[] = []) =>
    // The end is written even when the deployment was cancelled.
    CancellationScope.nonCancellable(async (): Promise<DeploymentEnd> => {
      if (halfDone) await heal();
      const told = cause && {
        ...cause,
        sentence: `${cause.sentence} ${found?.sentence ?? ''}`.trimEnd(),
      };
      const end = { deploymentId, environment, phase, ...(told ? { cause: told } : {}) };
      // Of what was observed, only what runs as the commit says is known.
      const known = observed ? { services: [], adopted: observed.adopted } : plan;
      const records = [...(known ? recordsOf(known, end, judgement) : []), ...takenBack];
      const seen = observed ? { observation: observed.observation } : {};
      await recordOutcome({ ...end, attempt, records, ...seen });
      if (phase === 'succeeded' && judgement) {
        await verifyAtWake(request, ref, attempt, judgement);
      }
      tellUi(phase, `${subject} ${endInWords(end)}`);
      return end;
    });

  try {
    return await scope.run(async () => {
      for (let counted = 0, handOvers = 0; ;) {
        attempt += 1;
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
    if (newer && cancelledBy === undefined) return finish('superseded', supersededCause(newer));
    return finish('cancelled', { code: 'cancelled', sentence: cancelledSentence() });
  }

  function cancelledSentence(): string {
    const by = cancelledBy === undefined ? 'Cancelled in Temporal' : `Cancelled by ${cancelledBy}`;
    if (takingBack)
      return `${by}, while it was taken back: what was not done yet is left as it is.`;
    return applied ? `${by}, after the apply had gone through: not verified.` : `${by}.`;
  }

  function supersededCause(by: SupersedeInput): CauseReport {
    const cause = supersededBy(by);
    const failed = lastFailure;
    const before = failed ? ` Attempt ${failed.attempt} had failed: ${failed.cause.sentence}` : '';
    const after = applied && !failed ? ' It was applied, but not verified.' : '';
    return { ...cause, sentence: `${cause.sentence}${before}${after}` };
  }

  /** What the plan touched is as it should be; what it left alone may still be failed. */
  function finishWell() {
    if (observed) return finishObserved(observed);
    const blocked = plan?.untouched?.find(({ state }) => state === 'blocked');
    if (blocked?.cause) return finish('failed', blocked.cause);
    return finish(plan?.services.length === 0 ? 'unchanged' : 'succeeded');
  }

  async function heal(): Promise<void> {
    await enter('applying', 'Healing what was left half-done');
    found = await healAfter(underway, ref, attempt, [...touched.keys()]);
    halfDone = false;
  }

  /** A worker that was lost in the last attempt may have brought it to its end. */
  async function wentWell(): Promise<boolean> {
    if (!plan || plan.restart || !halfDone) return false;
    await heal();
    if (!found?.clean) return false;
    const say = (trouble?: string) => enter('verifying', trouble ?? VERIFYING);
    await say();
    const verdict = await verify(underway, ref, attempt, plan, say);
    judgement = verdict.judgement;
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
    if (!takesBack || touched.size === 0) return finish(phase, cause);
    giveWayFrom(false);
    takingBack = true;
    halfDone = true;
    await enter('verifying', `Rolling back: ${cause.sentence}`);
    const { done, sentence, records } = await takeBack(underway, ref, attempt, [
      ...touched.values(),
    ]);
    if (done) halfDone = false;
    const told = { ...cause, sentence: `${cause.sentence} ${sentence}`.trimEnd() };
    return finish(done ? 'rolled-back' : phase, told, records);
  }

  /** Returns why the attempt failed, or nothing when the deployment succeeded. */
  async function attemptOnce() {
    try {
      doing = undefined;
      const cluster = onCluster(underway);
      if (request.mode === 'observe') {
        await enter('planning', 'Reading what the commit declares, to observe it');
        observed = await observe(ref);
        return undefined;
      }
      const closed = await gates.pass();
      if (closed) return { cause: closed, handedOver: false, lostTrack: false };
      const say = (trouble = 'Reading what the commit declares') => enter('planning', trouble);
      await say();
      await patiently(() => cluster.checkout(ref), say);
      const { repository, force, kind } = request;
      judgement = undefined;
      applied = false;
      const recorded = await readRecorded({ repository, environment });
      const asked = { deployment: ref, force, manual: kind !== 'automatic', recorded };
      plan = await patiently(() => cluster.plan(asked), say);
      for (const service of plan.services) {
        if (!touched.has(service.name)) touched.set(service.name, service);
      }
      if (plan.services.length === 0) {
        await enter('planning', 'Nothing to apply', plan);
        return undefined;
      }
      const refused = await gates.pass(plan.digest);
      if (refused) return { cause: refused, handedOver: false, lostTrack: false };
      const names = plan.services.map(({ name }) => name).join(', ');
      giveWayFrom(false);
      await enter('applying', `Applying ${names}`, plan);
      halfDone = true;
      const onApplied = (trouble?: string) => {
        applied = true;
        halfDone = false;
        giveWayFrom(request.overtakeVerifying === true);
        return enter('verifying', trouble ?? VERIFYING);
      };
      plans.set(attempt, plan.services);
      let verdict = await applyAndVerify(underway, ref, attempt, plan, onApplied, plans);
      halfDone = false;
      giveWayFrom(false);
      if (!verdict.cause && plan.restart) {
        verdict = await restartAndVerify(underway, ref, attempt, plan.restart, verdict, (note) =>
          enter('verifying', note),
        );
      }
      judgement = verdict.judgement;
      return verdict.cause && { cause: verdict.cause, handedOver: false, lostTrack: false };
    } catch (error) {
      if (isCancellation(error)) throw error;
      return failedActivity(error);
    }
  }

  async function enter(
    phase: 'planning' | 'applying' | 'verifying',
    note: string,
    planned?: PlanResult,
  ) {
    doing = [phase, note, planned];
    await recordPhase({
      deploymentId,
      phase,
      attempt,
      note,
      order: ++recordCount,
      ...(planned ? { plan: planned } : {}),
    });
    tellUi(phase, `${subject} attempt ${attempt}: ${note}`);
  }

  async function wait(waiting: Waiting) {
    const note = waiting.sentence;
    const begun = doing ? attempt : attempt - 1;
    await recordPhase({
      ...{ deploymentId, phase: 'waiting', attempt: begun, note, waiting, order: ++recordCount },
      // Who approves must see what.
      ...(waiting.digest !== undefined && plan ? { plan } : {}),
    });
    tellUi('waiting', `${subject} waits. ${note}`);
  }

  async function pause(waitMs: number, cause: CauseReport) {
    lastFailure = { attempt, cause };
    giveWayFrom(true);
    const retryAt = new Date(Date.now() + waitMs).toISOString();
    const note = `Attempt ${attempt} failed: ${cause.sentence} Next attempt at ${retryAt}.`;
    await recordPhase({
      deploymentId,
      phase: 'retrying',
      attempt,
      note,
      cause,
      retryAt,
      order: ++recordCount,
    });
    tellUi('retrying', `${subject} ${note}`);
    await sleep(waitMs);
  }
}

function deploymentRef(request: DeploymentRequest) {
  const { deploymentId, repository, environment, cluster, namespace, commit } = request;
  return { deploymentId, repository, environment, cluster, namespace, commit };
}
