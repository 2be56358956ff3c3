import type { GatesAnswer, GatesInput } from '../src/contract/workflow/activities.ts';
import { clusterQueue } from '../src/contract/workflow/ids.ts';
import type {
  AbsentWorkerFact,
  FreezeFact,
  GateFacts,
  Verdict,
} from '../src/domain/gates/facts.ts';
import type { DependencyFact } from '../src/domain/gates/dependency.ts';
import { judgeApproval } from '../src/domain/gates/judge-approval.ts';
import { sayKeysOnlyHere } from '../src/domain/gates/judge-dependency.ts';
import { followsOthers, judgeGates, withoutWorker } from '../src/domain/gates/judge-gates.ts';

export interface GateDeps {
  /** What people set. */
  facts: (
    at: Omit<GatesInput, 'kind' | 'approval' | 'only' | 'absentSince' | 'applied'>,
  ) => Promise<Omit<GateFacts, 'kind'>>;
  /** What the configuration's calendar has in force at a time. */
  calendar: (place: { repository: string; environment: string; now: string }) => FreezeFact[];
  /** What the deployment follows in other environments. */
  dependencies: (
    at: Pick<GatesInput, 'deploymentId' | 'repository' | 'environment' | 'now'>,
    signal: AbortSignal,
  ) => Promise<DependencyFact[]>;
  /** Says something in the deployment's log, once. */
  note: (note: { deploymentId: string; lines: string[] }) => Promise<void>;
  /** Whether a worker of the cluster is there. */
  hasWorker: (cluster: string) => Promise<boolean>;
  approvals: {
    decide: <T extends { answer: string }>(
      plan: { deploymentId: string; digest: string },
      judge: (verdicts: readonly Verdict[]) => T,
    ) => Promise<T>;
  };
}

/** Asks every gate of a deployment; the approval of its plan last, so that it is used up only to go on. */
export async function readGates(
  deps: GateDeps,
  input: GatesInput,
  signal: AbortSignal,
): Promise<GatesAnswer> {
  const { kind, approval, only, absentSince, applied, ...at } = input;
  // A plan is shown and approved also while its cluster's worker is away.
  const absentWorker = approval ? undefined : await findAbsent(deps, at, absentSince);
  if (only === 'worker') {
    return absentWorker
      ? { answer: 'wait', waiting: withoutWorker(absentWorker, at.now) }
      : { answer: 'open' };
  }
  const facts = await deps.facts(at);
  const freezes = [...facts.freezes, ...deps.calendar(at)];
  const { overridden } = facts;
  const follows = !applied && followsOthers({ kind, overridden });
  const dependencies = follows ? await deps.dependencies(at, signal) : [];
  const waiting = judgeGates(
    { ...facts, dependencies, freezes, kind, ...(absentWorker ? { absentWorker } : {}) },
    at.now,
  );
  if (waiting) return { answer: 'wait', waiting };
  const asides = dependencies.flatMap(sayKeysOnlyHere);
  if (asides.length > 0) await deps.note({ deploymentId: at.deploymentId, lines: asides });
  if (!approval) return { answer: 'open' };
  const { policy, plan } = approval;
  const key = { deploymentId: at.deploymentId, digest: plan.digest };
  const answer = await deps.approvals.decide(key, (verdicts) =>
    judgeApproval(policy, plan, verdicts, at.now),
  );
  return answer.answer === 'approved' ? { answer: 'open' } : answer;
}

async function findAbsent(
  deps: Pick<GateDeps, 'hasWorker'>,
  { cluster, now }: { cluster: string; now: string },
  absentSince = now,
): Promise<AbsentWorkerFact | undefined> {
  if (await deps.hasWorker(cluster)) return undefined;
  return { cluster, queue: clusterQueue(cluster), since: absentSince };
}
