import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again until the answer is neither undefined nor false, and returns it.
 * Throws after `timeoutMs` with `what` in the message, and the last thing that went wrong as cause.
 */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  options: { timeoutMs: number; intervalMs?: number },
): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline) {
      throw new Error(`${what}: not within ${options.timeoutMs} ms`, { cause });
    }
    await delay(options.intervalMs ?? 50);
  }
}
