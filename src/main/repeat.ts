import { setTimeout as delay } from 'node:timers/promises';

/** Does the work now and again and again, with a pause between; it must not throw. */
export function repeat(
  pauseMs: number,
  work: (signal: AbortSignal) => Promise<void>,
): { stop: () => Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async () => {
    while (!signal.aborted) {
      await work(signal);
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
