import { describe, expect, test } from 'vitest';
import { DEFAULT_LADDER } from '../../src/adapters/process/kill-ladder.ts';
import { STRAYS } from '../../src/adapters/process/sweep.ts';
import { CHANGE_HEARTBEAT_MS, LEASE_TIMING, LOOK_AGAIN_MS } from '../../src/domain/lost-worker.ts';

const PROMISED_MS = 120_000;
/** For healing what was left, and for requests. */
const MARGIN_MS = 10_000;

describe('a worker that is lost on another machine', () => {
  test('is followed by another within the time that is promised', () => {
    const noticed = CHANGE_HEARTBEAT_MS + LEASE_TIMING.durationMs + LOOK_AGAIN_MS;
    expect(noticed + MARGIN_MS).toBeLessThanOrEqual(PROMISED_MS);
  });

  test('that only lost its cluster has ended its processes before its Lease may be taken', () => {
    const { giveUpMs, durationMs } = LEASE_TIMING;
    const ended = giveUpMs + DEFAULT_LADDER.groupKillMs + STRAYS.groupKillMs;
    expect(ended).toBeLessThan(durationMs);
  });

  test('misses more than one renewal before it gives up', () => {
    expect(LEASE_TIMING.giveUpMs).toBeGreaterThanOrEqual(2 * LEASE_TIMING.renewMs);
  });
});
