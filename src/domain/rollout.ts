import type { CauseReport } from './cause.ts';
import { clip, podTroubles } from './pod-troubles.ts';
import { asleepInWords } from './sleep-schedule.ts';
import { workloadName, type ConditionFacts, type WorkloadFacts } from './workload.ts';

export type { WorkloadFacts } from './workload.ts';

/** Settings of the rollout check; `slipway.yaml`: `rollout`. */
export interface RolloutPolicy {
  timeoutMs: number;
  soakMs: number;
  restartsMax: number;
}

export interface WorkloadVerdict {
  workload: string;
  service: string;
  state: 'progressing' | 'healthy' | 'failed';
  /** For people: how far it is. */
  progress: string;
  /** Set when failed; when progressing a trouble that may yet pass, when healthy one that just did. */
  trouble?: CauseReport;
  /** Scaled to zero by schedule: no failure, and nothing runs. */
  asleep?: true;
  /** What people should know of a healthy workload, such as why it counts as healthy. */
  note?: string;
  hook?: true;
}

/** What earlier looks saw of Jobs that may be gone by now, by workload. */
export type JobEnds = ReadonlyMap<string, WorkloadVerdict>;

/** Judges one Kubernetes workload: healthy only when the new generation runs everywhere. */
export function assessWorkload(
  facts: WorkloadFacts,
  policy: Pick<RolloutPolicy, 'restartsMax'>,
  seen: JobEnds = new Map(),
): WorkloadVerdict {
  const workload = workloadName(facts);
  const base = {
    ...{ workload, service: facts.service },
    ...(facts.hook ? { hook: true as const } : {}),
  };
  if (facts.missing) return { ...base, ...judgeMissing(facts, seen.get(workload)) };
  if (facts.observedGeneration < facts.generation) {
    return { ...base, state: 'progressing', progress: 'the cluster has not seen the change yet' };
  }
  const progress = progressOf(facts);
  const troubles = podTroubles(facts, policy.restartsMax);
  // Before health: what falls over again and again looks healthy in between.
  const definite = troubles.find((trouble) => trouble.definite);
  if (definite) return { ...base, state: 'failed', progress, trouble: definite.cause };
  const first = troubles[0]?.cause;
  const done = doneBy(facts, troubles.length > 0);
  if (done) {
    return { ...base, state: 'healthy', progress, ...done, ...(first ? { trouble: first } : {}) };
  }
  if (facts.failure) {
    const condition = conditionCause(facts, facts.failure);
    // A deadline says only that it took too long: what a pod says is nearer to the cause.
    const late = condition.code === 'progress-deadline' || facts.kind === 'Job';
    return { ...base, state: 'failed', progress, trouble: (late ? first : undefined) ?? condition };
  }
  const trouble = first ?? standstill(facts);
  return { ...base, state: 'progressing', progress, ...(trouble ? { trouble } : {}) };
}

/** Why a workload counts as done, with what people should know; nothing while it is not. */
function doneBy(
  facts: WorkloadFacts,
  hasTrouble: boolean,
): Pick<WorkloadVerdict, 'asleep' | 'note'> | undefined {
  const { desired, updated, available, old, failure } = facts;
  if (facts.conditions) return isReady(facts.conditions) ? {} : undefined;
  if (facts.job) return facts.job.complete && !failure ? {} : undefined;
  if (facts.updatesOnDelete && !failure) {
    // The pods that have the new template must run; the others are a person's business.
    if (available < updated || updated + facts.updatesOnDelete.waiting < desired) return undefined;
    const { waiting } = facts.updatesOnDelete;
    return waiting === 0
      ? {}
      : { note: `update strategy OnDelete: ${waiting} pods update when they are deleted` };
  }
  // The autoscaler may change its mind at any time; what counts is that nothing old runs any more.
  if (facts.autoscaled && facts.rolledOut && old === 0 && available > 0 && !hasTrouble) {
    return available < desired ? { note: `the autoscaler is scaling to ${desired} replicas` } : {};
  }
  const wanted = Math.max(0, desired - (facts.partition ?? 0));
  if (failure || updated < wanted || available < wanted || old > 0) return undefined;
  if (desired === 0 && facts.sleep) return { asleep: true, note: asleepInWords(facts.sleep) };
  if (facts.partition && updated < desired) {
    const kept = Math.min(facts.partition, desired);
    return { note: `partition ${facts.partition}: ${kept} pods keep the older template` };
  }
  return {};
}

function judgeMissing(
  facts: WorkloadFacts,
  before: WorkloadVerdict | undefined,
): Pick<WorkloadVerdict, 'state' | 'progress' | 'trouble' | 'note'> {
  if (facts.job && before?.state === 'failed') {
    const trouble = before.trouble ? { trouble: before.trouble } : {};
    return { state: 'failed', progress: before.progress, ...trouble };
  }
  if (facts.job && (facts.job.vanishes || before)) {
    const note = 'ended and is gone by now';
    return { state: 'healthy', progress: note, note };
  }
  return { state: 'progressing', progress: 'it is not in the cluster' };
}

function progressOf(facts: WorkloadFacts): string {
  const { desired, available, old, partition = 0 } = facts;
  if (facts.conditions) return conditionInWords(facts.conditions);
  if (facts.kind === 'Job') return `${available} of ${desired} completions`;
  const wanted = Math.max(0, desired - partition);
  const left = old > 0 ? `, ${old} old left` : '';
  return `${available} of ${wanted} new replicas available${left}`;
}

/** Nothing is broken and still nothing moves: waited for, and named when the time is up. */
function standstill(facts: WorkloadFacts): CauseReport | undefined {
  const which = `${workloadName(facts)} of ${facts.service}`;
  const base = { service: facts.service, workload: workloadName(facts) };
  if (facts.paused) {
    const sentence =
      facts.kind === 'Job'
        ? `${which} is suspended: it runs nothing until somebody resumes it.`
        : `The rollout of ${which} is paused: it replaces no pods until somebody resumes it.`;
    return { ...base, code: 'progress-deadline', reason: 'Paused', sentence };
  }
  const unready = facts.conditions && readyCondition(facts.conditions);
  if (!unready) return undefined;
  const { type, status, reason, message } = unready;
  const sentence = `${which}: ${type} is ${status} (${reason || 'no reason given'})${message === '' ? '' : `: ${clip(message)}`}`;
  return { ...base, code: 'progress-deadline', reason: reason || type, sentence };
}

const READY_TYPES = ['Ready', 'Available'];

function readyCondition(conditions: readonly ConditionFacts[]): ConditionFacts | undefined {
  return conditions.find(({ type, status }) => READY_TYPES.includes(type) && status !== 'True');
}

/** What says nothing of being ready is taken to be so: most custom resources are mere settings. */
function isReady(conditions: readonly ConditionFacts[]): boolean {
  return readyCondition(conditions) === undefined;
}

function conditionInWords(conditions: readonly ConditionFacts[]): string {
  const { type, status } = readyCondition(conditions) ?? { type: 'Ready', status: 'True' };
  return `${type} is ${status}`;
}

function conditionCause(
  facts: WorkloadFacts,
  failure: { reason: string; message: string },
): CauseReport {
  return {
    code: conditionCode(facts, failure),
    sentence: `${workloadName(facts)} of ${facts.service}: ${failure.reason}: ${clip(failure.message)}`,
    service: facts.service,
    workload: workloadName(facts),
    reason: failure.reason,
  };
}

function conditionCode(
  { kind, hook }: WorkloadFacts,
  failure: { reason: string; message: string },
): CauseReport['code'] {
  if (kind === 'Job') return hook ? 'hook-failed' : 'job-failed';
  if (failure.reason === 'ProgressDeadlineExceeded') return 'progress-deadline';
  return /quota/i.test(failure.message) ? 'quota' : 'admission-denied';
}
