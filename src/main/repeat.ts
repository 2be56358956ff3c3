import { setTimeout as delay } from 'node:timers/promises';

/**
 * Does the work now and again and again.
 *
 * @param work answers how many milliseconds to pause before the next time; it must not throw
 */
export function repeat(work: (signal: AbortSignal) => Promise<number>): {
  stop: () => Promise<void>;
} {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async () => {
    while (!signal.aborted) {
      const pauseMs = await work(signal);
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
