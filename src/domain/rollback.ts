import type { CauseReport } from './cause.ts';
import type { EndPhase } from './phases.ts';
import type { HelmReleaseFacts, PlannedService } from './services.ts';

export interface RollbackStep {
  service: string;
  /** The revision to return to; a service that was not there before is uninstalled. */
  to: number | 'uninstall';
}

/** Whether a deployment that ended so is taken back: only where the release itself is bad. */
export function isTakenBack(phase: EndPhase, cause: CauseReport): boolean {
  // A name in slipway.yaml that no workload has says nothing about the release.
  return phase === 'failed' && cause.code !== 'workload-missing';
}

/**
 * Decides what takes back everything that a deployment changed, and nothing else: a service whose newest
 * Helm revision is not the deployment's own was not reached, or was changed by somebody since.
 *
 * @param planned with the revision that ran before the deployment
 */
export function decideRollback(
  planned: readonly PlannedService[],
  helmReleases: readonly HelmReleaseFacts[],
  deploymentId: string,
): RollbackStep[] {
  return planned.flatMap(({ name, helmRevision }): RollbackStep[] => {
    const newest = helmReleases.find(({ service }) => service === name);
    if (newest?.deploymentId !== deploymentId) return [];
    if (newest.helmRevision === helmRevision) return [];
    return [{ service: name, to: helmRevision ?? 'uninstall' }];
  });
}
