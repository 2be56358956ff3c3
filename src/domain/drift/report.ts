import type { PlanDiff } from '../diff/plan-diff.ts';
import type { HelmFinding } from './helm.ts';

/** What a look at an environment found that is not as the last success of each service left it. */
export interface DriftReport {
  /** Of Helm's releases. */
  services: HelmFinding[];
  /** Of live objects: `before` is what Helm's manifest declares, `after` what there is. */
  objects: PlanDiff;
  /** What could not be looked at, such as kinds that the account may not try to change. */
  notLookedAt: NotLookedAt[];
}

export interface NotLookedAt {
  what: string;
  why: string;
}

/** Whether something is not as it was left; what could not be looked at is no drift. */
export function isDrifting({ services, objects }: DriftReport): boolean {
  return services.length > 0 || objects.services.length > 0;
}
