import type { LaneKey } from '../contract/workflow/ids.ts';
import { repeat } from './repeat.ts';

const EVERY_MS = 2_000;

/** Wakes the deployments that wait for a worker of their cluster, as soon as one is there. */
export function watchWorkers(deps: {
  /** Where deployments wait for a worker. */
  waiting: () => Promise<LaneKey[]>;
  hasWorker: (cluster: string) => Promise<boolean>;
  wake: (lanes: readonly LaneKey[]) => Promise<void>;
  log: { warn: (fields: Record<string, unknown>, message: string) => void };
  everyMs?: number;
}): { stop: () => Promise<void> } {
  const look = async () => {
    const lanes = await deps.waiting();
    for (const cluster of new Set(lanes.map((lane) => lane.cluster))) {
      if (!(await deps.hasWorker(cluster))) continue;
      await deps.wake(lanes.filter((lane) => lane.cluster === cluster));
    }
  };
  return repeat(async () => {
    await look().catch((error: unknown) => {
      deps.log.warn({ err: error }, 'it is not known whether workers are there');
    });
    return deps.everyMs ?? EVERY_MS;
  });
}
