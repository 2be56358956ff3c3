import type { GatesAnswer, GatesInput } from '../src/contract/workflow/activities.ts';
import type { FreezeFact, GateFacts, Verdict } from '../src/domain/gates/facts.ts';
import { judgeApproval } from '../src/domain/gates/judge-approval.ts';
import { judgeGates } from '../src/domain/gates/judge-gates.ts';

export interface GateDeps {
  /** What people set. */
  facts: (at: Omit<GatesInput, 'kind' | 'approval'>) => Promise<Omit<GateFacts, 'kind'>>;
  /** What the configuration's calendar has in force at a time. */
  calendar: (place: { repository: string; environment: string; now: string }) => FreezeFact[];
  approvals: {
    decide: <T extends { answer: string }>(
      plan: { deploymentId: string; digest: string },
      judge: (verdicts: readonly Verdict[]) => T,
    ) => Promise<T>;
  };
}

/** Asks every gate of a deployment; the approval of its plan last, so that it is used up only to go on. */
export async function readGates(deps: GateDeps, input: GatesInput): Promise<GatesAnswer> {
  const { kind, approval, ...at } = input;
  const facts = await deps.facts(at);
  const freezes = [...facts.freezes, ...deps.calendar(at)];
  const waiting = judgeGates({ ...facts, freezes, kind }, at.now);
  if (waiting) return { answer: 'wait', waiting };
  if (!approval) return { answer: 'open' };
  const { policy, plan } = approval;
  const key = { deploymentId: at.deploymentId, digest: plan.digest };
  const answer = await deps.approvals.decide(key, (verdicts) =>
    judgeApproval(policy, plan, verdicts, at.now),
  );
  return answer.answer === 'approved' ? { answer: 'open' } : answer;
}
