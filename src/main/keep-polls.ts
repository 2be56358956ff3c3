import { setTimeout as delay } from 'node:timers/promises';

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
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async () => {
    let looked = false;
    while (!signal.aborted) {
      let pauseMs = AGAIN_MS;
      try {
        await deps.setSchedules();
        if (!looked) await deps.lookNow();
        looked = true;
      } catch (error) {
        deps.log.warn({ err: error }, 'the schedules were not set');
        pauseMs = RETRY_MS;
      }
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      stopping.abort();
      await looping;
    },
  };
}
