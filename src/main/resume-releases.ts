import type { Store } from '../adapters/postgres/store.ts';
import type { ReleaseInput } from '../contract/workflow/payloads.ts';
import { repeat } from './repeat.ts';

const EVERY_MS = 60_000;
const LIMIT = 1_000;

export interface ResumeDependencies {
  releases: Pick<Store['releases'], 'openRuns'>;
  isConfigured: (repository: string) => boolean;
  /** Starts the workflow unless it runs. */
  resume: (input: ReleaseInput) => Promise<void>;
  log: { warn: (fields: Record<string, unknown>, message: string) => void };
}

/**
 * Starts the workflows of releases that the store says are on their way, each minute: whoever loses
 * Temporal's data, or terminates a workflow, loses no release. What runs already notices nothing.
 */
export function keepReleasesRunning(deps: ResumeDependencies): { stop: () => Promise<void> } {
  return repeat(async () => {
    await resumeReleases(deps);
    return EVERY_MS;
  });
}

/** One look at the store. */
export async function resumeReleases(deps: ResumeDependencies): Promise<void> {
  try {
    const runs = await deps.releases.openRuns({ limit: LIMIT });
    for (const run of runs) if (deps.isConfigured(run.repository)) await deps.resume(run);
  } catch (error) {
    deps.log.warn({ err: error }, 'releases on their way were not looked after');
  }
}
