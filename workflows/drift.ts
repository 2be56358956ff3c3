import { isCancellation } from '@temporalio/workflow';
import type { EnvironmentRef } from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import { beginDriftLook, driftOnCluster, recordDrift } from './activity-options.ts';
import { failedActivity, wasNotTaken } from './failures.ts';

/**
 * Looks once whether an environment is as its deployments left it, beside its lane. Nothing is corrected; a
 * look that could not be made is told too.
 */
export async function driftWorkflow(environment: EnvironmentRef): Promise<'looked' | 'skipped'> {
  const place = { repository: environment.repository, environment: environment.environment };
  const begun = await beginDriftLook(place);
  if (!begun.look) return 'skipped';
  const { since, recorded } = begun;
  const lookForDrift = driftOnCluster(environment.cluster, environment.environment);
  try {
    const report = await lookForDrift({ environment, recorded });
    await recordDrift({ ...place, since, found: { report } });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const unable = wasNotTaken(error) ? absentWorker(environment) : failedActivity(error).cause;
    await recordDrift({ ...place, since, found: { unable } });
  }
  return 'looked';
}

function absentWorker({ cluster }: EnvironmentRef): CauseReport {
  return { code: 'worker-lost', sentence: `No worker of cluster ${cluster} is there to look.` };
}
