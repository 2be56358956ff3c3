import type {
  AbsentWorkerFact,
  FreezeFact,
  GateFacts,
  HoldFact,
  StopFact,
  Waiting,
} from './facts.ts';
import { judgeDependency } from './judge-dependency.ts';
import { sayTime, withReason } from './say-time.ts';

/**
 * Whether a deployment may go on: the first closed gate in the order dependency, hold, stop, freeze, worker, or
 * nothing. A hold keeps merges away, not what a person asked for; a stop and a freeze keep everything away
 * that no person let pass, and so does a dependency, except for a rollback: what it brings was good here before.
 *
 * @param now ISO 8601
 */
export function judgeGates(facts: GateFacts, now: string): Waiting | undefined {
  const { dependencies = [], hold, stops, freezes, overridden, kind, absentWorker } = facts;
  for (const dependency of followsOthers(facts) ? dependencies : []) {
    const waiting = judgeDependency(dependency, now);
    if (waiting) return waiting;
  }
  if (hold && kind === 'automatic') return held(hold, now);
  const stop = stops[0];
  if (stop && !overridden.includes('stop')) return stopped(stop, now);
  const freeze = lastToEnd(freezes);
  if (freeze && !overridden.includes('freeze')) return frozen(freeze, now);
  return absentWorker && withoutWorker(absentWorker, now);
}

/** Whether a deployment waits for what its environment follows. */
export function followsOthers({
  kind,
  overridden,
}: Pick<GateFacts, 'kind' | 'overridden'>): boolean {
  return kind !== 'rollback' && !overridden.includes('dependency');
}

/** What a deployment waits for while no worker of its cluster is there. */
export function withoutWorker(fact: AbsentWorkerFact, now: string): Waiting {
  const { cluster, queue, since } = fact;
  const sentence =
    `No worker of cluster ${cluster} has polled ${queue} since ${sayTime(since, now)}: ` +
    `start one with "slipway worker --cluster ${cluster}".`;
  return { reason: 'worker', sentence, since };
}

function held({ by, reason, since, until }: HoldFact, now: string): Waiting {
  const end = until === undefined ? '' : ` until ${sayTime(until, now)}`;
  const sentence = withReason(`Held by ${by} since ${sayTime(since, now)}${end}`, reason);
  return { reason: 'hold', sentence, ...(until === undefined ? {} : { until }) };
}

function stopped({ cluster, by, reason, since }: StopFact, now: string): Waiting {
  const what = cluster === undefined ? 'Everything is' : `Cluster ${cluster} is`;
  const sentence = withReason(`${what} stopped by ${by} since ${sayTime(since, now)}`, reason);
  return { reason: 'stop', sentence };
}

function frozen({ reason, until, timezone, by }: FreezeFact, now: string): Waiting {
  const who = by === undefined ? '' : ` by ${by}`;
  const sentence = withReason(`Frozen${who} until ${sayTime(until, now, timezone)}`, reason);
  return { reason: 'freeze', sentence, until };
}

function lastToEnd(freezes: readonly FreezeFact[]): FreezeFact | undefined {
  return freezes.reduce<FreezeFact | undefined>(
    (last, one) => (last && Date.parse(last.until) >= Date.parse(one.until) ? last : one),
    undefined,
  );
}
