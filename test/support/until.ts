import { setTimeout as delay } from 'node:timers/promises';

/** Waits until the condition holds; fails when it does not within the time. An error of it is thrown on. */
export async function until(
  condition: () => unknown,
  { timeoutMs = 30_000, intervalMs = 50 } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms`);
    await delay(intervalMs);
  }
}
