import { CancelledFailure } from '@temporalio/common';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { beating } from '../../activities/heartbeat.ts';
import { activityEnvironment } from '../support/activity-environment.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => vi.useRealTimers());

it('a worker that works tells so, and stops when the work has ended', async () => {
  const environment = activityEnvironment();
  let beats = 0;
  environment.on('heartbeat', () => (beats += 1));
  const result = await environment.run(() =>
    beating(() => {
      vi.advanceTimersByTime(9_000);
      return Promise.resolve('done');
    }),
  );
  expect(result).toBe('done');
  // Often enough for a heartbeat timeout of 30 s.
  expect(beats).toBeGreaterThanOrEqual(3);
  const before = beats;
  vi.advanceTimersByTime(60_000);
  expect(beats).toBe(before);
});

it('a failure ends the beating too', async () => {
  const environment = activityEnvironment();
  const error = new Error('broken');
  await expect(environment.run(() => beating(() => Promise.reject(error)))).rejects.toBe(error);
  expect(vi.getTimerCount()).toBe(0);
});

it("a cancellation reaches the work as the signal's reason, which Temporal knows as its own", async () => {
  const environment = activityEnvironment();
  const running = environment.run(() =>
    beating(async (signal) => {
      const aborted = once(signal, 'abort');
      environment.cancel('CANCELLED');
      await aborted;
      signal.throwIfAborted();
    }),
  );
  const thrown: unknown = await running.catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(CancelledFailure);
  expect(thrown).toBe(environment.context.cancellationSignal.reason);
});
