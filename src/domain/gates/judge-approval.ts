import type { CauseReport } from '../cause.ts';
import type { ApprovalPolicy, Verdict, Waiting } from './facts.ts';
import { approvers, isAsked } from './may-approve.ts';
import { sayTime, withReason } from './say-time.ts';

export type ApprovalAnswer =
  | { answer: 'approved' }
  | { answer: 'wait'; waiting: Waiting }
  /** Rejected, or nobody came in time. */
  | { answer: 'end'; cause: CauseReport };

/**
 * Whether a plan is approved. A rejection by one who may approve outweighs all approvals.
 *
 * @param plan the digest that the verdicts are about, and since when it waits
 * @param now ISO 8601
 */
export function judgeApproval(
  policy: ApprovalPolicy,
  plan: { digest: string; since: string },
  verdicts: readonly Verdict[],
  now: string,
): ApprovalAnswer {
  const counting = verdicts.filter(({ groups }) => isAsked(policy.from, groups));
  const rejection = counting.find(({ verdict }) => verdict === 'rejected');
  if (rejection) {
    const { person, comment } = rejection;
    const sentence =
      comment === '' ? `Rejected by ${person}.` : withReason(`Rejected by ${person}`, comment);
    return { answer: 'end', cause: { code: 'approval-rejected', sentence } };
  }
  const given = new Set(counting.map(({ person }) => person)).size;
  if (given >= policy.count) return { answer: 'approved' };
  const so = `${given} of ${policy.count} from ${approvers(policy.from)}`;
  const until = expiry(policy, plan.since);
  if (until !== undefined && Date.parse(until) <= Date.parse(now)) {
    const sentence = `Approvals expired at ${sayTime(until, now)}: ${so}.`;
    return { answer: 'end', cause: { code: 'approval-timeout', sentence } };
  }
  const end = until === undefined ? '' : `; expires ${sayTime(until, now)}`;
  return {
    answer: 'wait',
    waiting: {
      reason: 'approval',
      sentence: `Waiting for approval: ${so}${end}.`,
      digest: plan.digest,
      groups: [...policy.from],
      count: policy.count,
      since: plan.since,
      ...(until === undefined ? {} : { until }),
    },
  };
}

function expiry({ expiresMs }: ApprovalPolicy, since: string): string | undefined {
  if (expiresMs === undefined) return undefined;
  return new Date(Date.parse(since) + expiresMs).toISOString();
}
