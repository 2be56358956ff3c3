import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { keepRenewed } from '../../../src/adapters/kubernetes/renewal.ts';
import { SlipwayError } from '../../../src/domain/errors.ts';
import { LEASE_TIMING } from '../../../src/domain/lost-worker.ts';

const { renewMs, giveUpMs } = LEASE_TIMING;
const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function keep(renew: () => Promise<void>) {
  const startedAt = performance.now();
  const kept = keepRenewed(startedAt, LEASE_TIMING, renew);
  let lostAfterMs: number | undefined;
  kept.lost.addEventListener('abort', () => {
    lostAfterMs = performance.now() - startedAt;
  });
  return { ...kept, lostAfterMs: () => lostAfterMs };
}

const away = () => Promise.reject(new SlipwayError('cluster-unreachable', 'no answer'));

describe('the renewal of a Lease', () => {
  test('goes on for as long as it succeeds, and ends when it is told to', async () => {
    const renew = vi.fn(() => Promise.resolve());
    const { lost, stop } = keep(renew);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(lost.aborted).toBe(false);
    expect(renew).toHaveBeenCalledTimes(Math.floor(HOUR_MS / renewMs));
    stop();
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(lost.aborted).toBe(false);
    expect(renew).toHaveBeenCalledTimes(Math.floor(HOUR_MS / renewMs));
  });

  test('is given up in time where the API server refuses connections', async () => {
    const { lost, lostAfterMs } = keep(away);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(lostAfterMs()).toBe(giveUpMs);
    expect(lost.reason).toMatchObject({ code: 'cluster-unreachable' });
  });

  test('is given up in time where requests never come back', async () => {
    const { lostAfterMs } = keep(() => new Promise(() => undefined));
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(lostAfterMs()).toBe(giveUpMs);
  });

  test('outlives what is shorter than that, because it is tried again at once', async () => {
    let isAway = true;
    const { lost } = keep(() => (isAway ? away() : Promise.resolve()));
    await vi.advanceTimersByTimeAsync(giveUpMs - 2_001);
    isAway = false;
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(lost.aborted).toBe(false);
  });

  test('ends at once when somebody else has the Lease', async () => {
    const taken = new SlipwayError('helm-locked', 'taken');
    const { lost, lostAfterMs } = keep(() => Promise.reject(taken));
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(lostAfterMs()).toBe(renewMs);
    expect(lost.reason).toBe(taken);
  });

  test('counts from before a request, whose answer may come late', async () => {
    const slow = () =>
      new Promise<void>((resolve) => {
        setTimeout(resolve, giveUpMs - 1);
      });
    let calls = 0;
    const { lostAfterMs } = keep(() => (calls++ === 0 ? Promise.resolve() : slow()));
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    // The first renewal, and the time after which it is given up.
    expect(lostAfterMs()).toBe(renewMs + giveUpMs);
  });
});
