import { repeat } from './repeat.ts';

/** A schedule that was removed by hand, or that a restored Temporal does not know, comes back. */
const AGAIN_MS = 3_600_000;
const RETRY_MS = 10_000;

/**
 * Sets the schedules of polls and looks for drift until it worked, and from time to time again. The branches are
 * looked at as soon as that is possible, because nobody did while the servers were away.
 */
export function keepPolls(deps: {
  setSchedules: () => Promise<void>;
  lookNow: () => Promise<void>;
  log: { warn: (fields: Record<string, unknown>, message: string) => void };
}): { stop: () => Promise<void> } {
  let looked = false;
  return repeat(async () => {
    try {
      await deps.setSchedules();
      if (!looked) await deps.lookNow();
      looked = true;
      return AGAIN_MS;
    } catch (error) {
      deps.log.warn({ err: error }, 'the schedules were not set');
      return RETRY_MS;
    }
  });
}
