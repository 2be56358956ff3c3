/** Settings of the attempts of one deployment; `slipway.yaml`: `retry`. */
export interface RetryPolicy {
  attempts: number;
  backoffMs: number;
  limitMs: number;
}

/** Milliseconds to wait after the given failed attempt (1 = the first): doubling, up to the limit. */
export function backoffMs(policy: RetryPolicy, failedAttempts: number): number {
  return Math.min(policy.limitMs, policy.backoffMs * 2 ** (failedAttempts - 1));
}
