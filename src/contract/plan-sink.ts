import type { PlanDiff } from '../domain/diff/plan-diff.ts';

/** Where a worker puts what its plans change: too large for a history, which keeps the plan's digest. */
export interface PlanSink {
  /** Resolves when it is stored, or kept until the server is there again. */
  store: (record: PlanDiffRecord) => Promise<void>;
}

export interface PlanDiffRecord {
  deploymentId: string;
  /** Of the plan. */
  digest: string;
  diff: PlanDiff;
}

/** In the place of a plan's digest: what another pipeline left beside what the commit says. */
export const OBSERVED_DIGEST = 'observed';
