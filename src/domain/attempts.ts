import { backoffMs, type RetryPolicy } from './backoff.ts';
import type { CauseReport } from './cause.ts';
import { CAUSES, isCauseCode } from './errors.ts';
import type { EndPhase } from './phases.ts';

export type AfterFailure = { next: 'retry'; waitMs: number } | { next: 'end'; phase: EndPhase };

/**
 * Decides what follows a failed attempt: what may pass by itself is tried again, with growing pauses,
 * until the attempts are used up; a bad release is not.
 */
export function afterFailure(
  cause: CauseReport,
  failedAttempts: number,
  policy: RetryPolicy,
): AfterFailure {
  const consequence = isCauseCode(cause.code) ? CAUSES[cause.code] : CAUSES.unknown;
  if (consequence.kind === 'transient' && failedAttempts < policy.attempts) {
    return { next: 'retry', waitMs: backoffMs(policy, failedAttempts) };
  }
  return { next: 'end', phase: consequence.phase };
}
