import { Context } from '@temporalio/activity';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterActivities, WatchInput } from '../src/contract/workflow/activities.ts';
import { SlipwayError } from '../src/domain/errors.ts';
import { assessWorkload, type WorkloadVerdict } from '../src/domain/rollout.ts';
import {
  judgeAfterApply,
  judgeWhileApplying,
  type RolloutJudgement,
} from '../src/domain/services.ts';
import type { ClusterDeps, ClusterView } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';

// Also the most often that progress is told.
const LOOK_MS = 1_000;
// Between one service's end and the next one's start only the failed one runs: look twice.
const LOOKS_TO_GIVE_UP = 2;
const MEMORIES_MAX = 100;

/** What was seen of a deployment and may be gone at the next look: the ends of its Jobs. */
type Memory = Map<string, WorkloadVerdict>;

/** Watches a rollout: beside the apply until it is hopeless, or after it until healthy and soaked. */
export function createWatchRollout(deps: ClusterDeps): ClusterActivities['watchRollout'] {
  const memories = new Map<string, Memory>();
  return (input) =>
    beating((signal) =>
      logging(
        deps.logs,
        { deploymentId: input.deployment.deploymentId, attempt: input.attempt, step: 'rollout' },
        (write) => {
          const memory = memoryOf(memories, input);
          const cluster = deps.cluster(input.deployment);
          return watch(cluster, input, memory, signal, noteChanges(write));
        },
      ),
    );
}

async function watch(
  cluster: ClusterView,
  input: WatchInput,
  memory: Memory,
  signal: AbortSignal,
  note: (judgement: RolloutJudgement) => void,
): Promise<RolloutJudgement> {
  const { mode, rollout } = input;
  // Counted from when the watch was first asked for, so that a lost worker does not start it over.
  const since = Context.current().info.scheduledTimestampMs;
  let healthySince: number | undefined;
  let hopeless = 0;
  for (;;) {
    signal.throwIfAborted();
    const judgement = await look(cluster, input, memory).catch((error: unknown) => {
      // Somebody else is watching over the apply's own end: a cluster that is away is waited for.
      if (mode === 'beside' && error instanceof SlipwayError) return undefined;
      throw error;
    });
    if (judgement) note(judgement);
    if (judgement && mode === 'once') return judgement;
    hopeless = judgement?.state === 'failed' ? hopeless + 1 : 0;
    if (judgement && hopeless >= LOOKS_TO_GIVE_UP) return judgement;
    if (judgement?.state === 'healthy') {
      healthySince ??= Date.now();
      if (Date.now() - healthySince >= rollout.soakMs) return judgement;
    } else {
      healthySince = undefined;
      if (judgement && mode === 'after' && Date.now() - since > rollout.timeoutMs) return judgement;
    }
    await delay(LOOK_MS, undefined, { signal }).catch(() => {
      // The activity ends with Temporal's own reason, not the timer's.
      signal.throwIfAborted();
    });
  }
}

async function look(
  cluster: ClusterView,
  input: WatchInput,
  memory: Memory,
): Promise<RolloutJudgement> {
  const planned = new Set(input.services.map(({ name }) => name));
  const helmReleases = await cluster.helmReleases();
  const facts = await cluster.workloads(helmReleases.filter(({ service }) => planned.has(service)));
  const workloads = facts.map((workload) => assessWorkload(workload, input.rollout, memory));
  for (const verdict of workloads) {
    const ended = verdict.state !== 'progressing' && verdict.workload.startsWith('Job/');
    if (ended) memory.set(verdict.workload, verdict);
  }
  const { deploymentId } = input.deployment;
  const seen = { helmReleases, workloads };
  return input.mode === 'after'
    ? judgeAfterApply(input.services, seen, { deploymentId })
    : judgeWhileApplying(input.services, seen, { deploymentId, attempt: input.attempt });
}

/** One for each attempt; the oldest is forgotten, as its attempt has long ended. */
function memoryOf(memories: Map<string, Memory>, { deployment, attempt }: WatchInput): Memory {
  const key = `${deployment.deploymentId}/${attempt}`;
  const known = memories.get(key);
  if (known) return known;
  const [oldest] = memories.keys();
  if (memories.size >= MEMORIES_MAX && oldest !== undefined) memories.delete(oldest);
  const fresh: Memory = new Map();
  memories.set(key, fresh);
  return fresh;
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
