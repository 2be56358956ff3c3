import { Context } from '@temporalio/activity';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterActivities, WatchInput } from '../src/contract/workflow/activities.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import { SlipwayError } from '../src/domain/errors.ts';
import { recentRestartsOf, withRecentRestarts } from '../src/domain/recent-restarts.ts';
import { judgeRestart } from '../src/domain/restart.ts';
import { assessWorkload } from '../src/domain/rollout.ts';
import {
  judgeAfterApply,
  judgeTakenBack,
  judgeWhileApplying,
  type RolloutJudgement,
} from '../src/domain/services.ts';
import { withoutReplaced } from '../src/domain/wake.ts';
import { sinceRevision, type WorkloadFacts } from '../src/domain/workload.ts';
import type { ApplyEnds } from './apply-ends.ts';
import type { ClusterDeps, ClusterView } from './cluster-deps.ts';
import { explainCause } from './explain.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';
import { restartedWorkloads } from './restarted-workloads.ts';
import { createRolloutMemories, type RolloutMemory } from './rollout-memory.ts';
import { createTellHealth, type Look } from './tell-health.ts';

// Also the most often that progress is told.
const LOOK_MS = 1_000;
// Between one service's end and the next one's start only the failed one runs: look twice.
const LOOKS_TO_GIVE_UP = 2;

/** One watch of one attempt. */
interface Watch {
  cluster: ClusterView;
  input: WatchInput;
  memory: RolloutMemory;
  redact: (text: string) => string;
  signal: AbortSignal;
  /** Aborts also when the apply that is watched beside has ended. */
  stop: AbortSignal;
  write: (line: string) => void;
  tellHealth: (look: Look, late?: boolean) => Promise<void>;
}

/** What one look found. */
interface Seen extends Look {
  workloads: readonly WorkloadFacts[];
}

/**
 * Watches a rollout: beside the apply until that has ended or is hopeless, or after it until healthy and
 * soaked.
 */
export function createWatchRollout(
  deps: ClusterDeps,
  ends: ApplyEnds,
): ClusterActivities['watchRollout'] {
  const memoryOf = createRolloutMemories();
  return (input) =>
    beating((signal) =>
      logging(
        deps.logs,
        { deploymentId: input.deployment.deploymentId, attempt: input.attempt, step: 'rollout' },
        (write) => {
          const { deploymentId } = input.deployment;
          const memory = memoryOf(deploymentId, input.attempt);
          const cluster = deps.cluster(input.deployment);
          const stop =
            input.mode === 'beside'
              ? AbortSignal.any([signal, ends.signalOf(deploymentId, input.attempt)])
              : signal;
          const { redact } = deps;
          const partial = input.restarted !== undefined;
          const tellHealth = createTellHealth(deps.health, { deploymentId, partial });
          return watch({ cluster, input, memory, redact, signal, stop, write, tellHealth });
        },
      ),
    );
}

async function watch(watching: Watch): Promise<RolloutJudgement> {
  const { signal, stop, tellHealth } = watching;
  const { mode, rollout } = watching.input;
  // Told each time that it sleeps, the log would grow all night.
  const quiet = mode === 'once' && watching.input.woken;
  const note = quiet ? () => undefined : noteChanges(watching.write);
  // Counted from when the watch was first asked for, so that a lost worker does not start it over.
  const since = Context.current().info.scheduledTimestampMs;
  let healthySince: number | undefined;
  let restarts = 0;
  let hopeless = 0;
  for (;;) {
    signal.throwIfAborted();
    const seen = await look(watching).catch((error: unknown) => {
      // Somebody else is watching over the apply's own end: a cluster that is away is waited for.
      if (mode === 'beside' && error instanceof SlipwayError) return undefined;
      throw error;
    });
    if (seen) {
      note(seen.judgement);
      await tellHealth(seen);
      await rememberTrouble(watching, seen);
    }
    if (seen && mode === 'once') return explained(watching, seen);
    const state = seen?.judgement.state;
    hopeless = state === 'failed' ? hopeless + 1 : 0;
    if (seen && hopeless >= LOOKS_TO_GIVE_UP) return explained(watching, seen);
    if (seen && state === 'healthy') {
      // A container that fell over and stood up again between two looks has not held.
      const fellOver = recentRestartsOf(seen.workloads) > restarts;
      healthySince = fellOver ? Date.now() : (healthySince ?? Date.now());
      if (Date.now() - healthySince >= rollout.soakMs) return seen.judgement;
      if (mode === 'after' && Date.now() - since > rollout.timeoutMs + rollout.soakMs) {
        return neverHeld(watching, seen);
      }
    } else {
      healthySince = undefined;
      const isLate = mode === 'after' && Date.now() - since > rollout.timeoutMs;
      if (seen && isLate) {
        await tellHealth(seen, true);
        return explained(watching, seen);
      }
    }
    if (seen) restarts = recentRestartsOf(seen.workloads);
    await delay(LOOK_MS, undefined, { signal: stop }).catch(() => {
      // The activity ends with Temporal's own reason, not the timer's.
      signal.throwIfAborted();
    });
    // Temporal would tell of it only with the next heartbeat, and the apply's own end is what counts.
    if (stop.aborted) return { state: 'progressing', services: seen?.judgement.services ?? [] };
  }
}

async function look({ cluster, input, memory }: Watch): Promise<Seen> {
  const { restarted } = input;
  const helmReleases = await cluster.helmReleases();
  const services = input.woken ? withoutReplaced(input.services, helmReleases) : input.services;
  const planned = new Set(services.map(({ name }) => name));
  const all = await cluster.workloads(
    restarted
      ? restartedWorkloads(restarted, helmReleases)
      : helmReleases.filter(({ service }) => planned.has(service)),
  );
  const counted = withRecentRestarts(all, memory.restarts);
  const facts = input.mode === 'beside' ? counted.map(sinceRevision) : counted;
  const workloads = facts.map((workload) => assessWorkload(workload, input.rollout, memory.jobs));
  for (const verdict of workloads) {
    const ended = verdict.state !== 'progressing' && verdict.workload.startsWith('Job/');
    if (ended) memory.jobs.set(verdict.workload, verdict);
  }
  if (restarted) {
    return { judgement: judgeRestart(workloads), workloads: facts, verdicts: workloads };
  }
  const { deploymentId } = input.deployment;
  const seen = { helmReleases, workloads };
  const judgement =
    input.takenBack || input.woken
      ? judgeTakenBack(services, seen)
      : input.mode === 'after'
        ? judgeAfterApply(input.services, seen, { deploymentId })
        : judgeWhileApplying(input.services, seen, { deploymentId, attempt: input.attempt });
  return { judgement, workloads: facts, verdicts: workloads };
}

/** Proof is gathered when a trouble first shows: Helm may take its pods away before the end. */
async function rememberTrouble(
  { cluster, memory, redact, write }: Watch,
  { judgement: { cause }, workloads }: Seen,
): Promise<void> {
  if (!cause?.workload || cause.service === undefined) return;
  const before = memory.troubles.get(cause.service);
  if (before?.code === cause.code && before.workload === cause.workload) return;
  const report = await explainCause(cluster, redact, cause, workloads);
  memory.troubles.set(cause.service, report);
  for (const line of report.evidence ?? []) write(`  ${line}`);
}

async function explained(
  { cluster, memory, redact }: Watch,
  { judgement, workloads }: Seen,
): Promise<RolloutJudgement> {
  const { cause } = judgement;
  if (!cause) return judgement;
  const before = cause.service === undefined ? undefined : memory.troubles.get(cause.service);
  // When Helm took the service back, the pods that could say why are gone.
  if (before && !cause.workload) return { ...judgement, cause: joined(before, cause) };
  return { ...judgement, cause: await explainCause(cluster, redact, cause, workloads) };
}

/** Healthy at every other look is not healthy: what troubled it in between is the cause. */
async function neverHeld(
  { cluster, memory, redact, input }: Watch,
  { judgement, workloads, verdicts }: Seen,
): Promise<RolloutJudgement> {
  const now = verdicts.find(({ trouble }) => trouble)?.trouble;
  const before = input.services.flatMap(({ name }) => memory.troubles.get(name) ?? [])[0];
  const sentence = `The services were healthy now and then, but never for ${input.rollout.soakMs / 1_000} s.`;
  const cause = now ?? before ?? { code: 'rollout-timeout' as const, sentence };
  const report = await explainCause(cluster, redact, cause, workloads);
  return { ...judgement, state: 'progressing', cause: report };
}

function joined(before: CauseReport, now: CauseReport): CauseReport {
  return { ...before, evidence: [...(before.evidence ?? []).slice(-19), now.sentence] };
}

/** Writes a line for each service whose state or note changed. */
function noteChanges(write: (line: string) => void): (judgement: RolloutJudgement) => void {
  const last = new Map<string, string>();
  return ({ services }) => {
    for (const { service, state, note } of services) {
      const line = `${service}: ${state}, ${note}`;
      if (last.get(service) === line) continue;
      last.set(service, line);
      write(line);
    }
  };
}
