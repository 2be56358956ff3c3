import { Context } from '@temporalio/activity';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterActivities, WatchInput } from '../src/contract/workflow/activities.ts';
import { SlipwayError } from '../src/domain/errors.ts';
import { assessWorkload } from '../src/domain/rollout.ts';
import {
  judgeAfterApply,
  judgeWhileApplying,
  type RolloutJudgement,
} from '../src/domain/services.ts';
import type { ClusterDeps, ClusterView } from './cluster-deps.ts';
import { beating } from './heartbeat.ts';
import { logging } from './log-writer.ts';

const LOOK_MS = 1_000;
// Between one service's end and the next one's start only the failed one runs: look twice.
const LOOKS_TO_GIVE_UP = 2;

/** Watches a rollout: beside the apply until it is hopeless, or after it until healthy and soaked. */
export function createWatchRollout(deps: ClusterDeps): ClusterActivities['watchRollout'] {
  return (input) =>
    beating((signal) =>
      logging(
        deps.logs,
        { deploymentId: input.deployment.deploymentId, attempt: input.attempt, step: 'rollout' },
        (write) => watch(deps.cluster(input.deployment), input, signal, noteChanges(write)),
      ),
    );
}

async function watch(
  cluster: ClusterView,
  input: WatchInput,
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
    const judgement = await look(cluster, input).catch((error: unknown) => {
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

async function look(cluster: ClusterView, input: WatchInput): Promise<RolloutJudgement> {
  const [helmReleases, workloads] = await Promise.all([
    cluster.helmReleases(),
    cluster.workloads(),
  ]);
  const facts = {
    helmReleases,
    workloads: workloads.map((workload) => assessWorkload(workload, input.rollout)),
  };
  const { deploymentId } = input.deployment;
  return input.mode === 'after'
    ? judgeAfterApply(input.services, facts, { deploymentId })
    : judgeWhileApplying(input.services, facts, { deploymentId, attempt: input.attempt });
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
