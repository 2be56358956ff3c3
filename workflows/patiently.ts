import { isCancellation, sleep } from '@temporalio/workflow';
import { passingTrouble } from './failures.ts';

// Rides out about 90 s of a cluster or forge that is away; longer is the attempts' business.
const PAUSES_MS = [5_000, 10_000, 20_000, 30_000, 30_000];

/**
 * Asks again what may pass by itself. Temporal would too, but nobody would see meanwhile what is waited for.
 *
 * @param say told the trouble while it waits, and nothing when it asks again
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  say: (trouble?: string) => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await ask();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const trouble = passingTrouble(error);
      if (trouble === undefined) throw error;
      await say(`${trouble} Asked again in ${pauseMs / 1_000} s.`);
      await sleep(pauseMs);
      await say();
    }
  }
  return ask();
}
