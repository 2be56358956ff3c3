import type { ClusterActivities } from '../src/contract/workflow/activities.ts';
import { ApplyEnds } from './apply-ends.ts';
import { createApply } from './apply.ts';
import { createCheckout } from './checkout.ts';
import type { ClusterDeps } from './cluster-deps.ts';
import { createHeal, createInspect } from './inspect.ts';
import { createLookForDrift } from './look-for-drift.ts';
import { createPlan } from './plan.ts';
import { createReadInputs } from './read-inputs.ts';
import { createReadReleases } from './read-releases.ts';
import { createRestart } from './restart.ts';
import { createRollBack } from './roll-back.ts';
import { createWatchRollout } from './watch-rollout.ts';

/** The activities of one cluster's worker. */
export function createClusterActivities(deps: ClusterDeps): ClusterActivities {
  const ends = new ApplyEnds();
  return {
    checkout: createCheckout(deps),
    readInputs: createReadInputs(deps),
    plan: createPlan(deps),
    readReleases: createReadReleases(deps),
    inspect: createInspect(deps),
    heal: createHeal(deps),
    apply: createApply(deps, ends),
    restart: createRestart(deps),
    rollBack: createRollBack(deps),
    lookForDrift: createLookForDrift(deps),
    watchRollout: createWatchRollout(deps, ends),
  };
}
