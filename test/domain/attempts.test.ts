import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterFailure } from '../../src/domain/attempts.ts';
import { backoffMs } from '../../src/domain/backoff.ts';
import { CAUSE_CODES, CAUSES } from '../../src/domain/errors.ts';

const policy = { attempts: 3, backoffMs: 30_000, limitMs: 600_000 };

describe('after a failed attempt', () => {
  test('what may pass by itself is tried again after a pause that doubles', () => {
    const cause = { code: 'cluster-unreachable', sentence: 'away' } as const;
    expect(afterFailure(cause, 1, policy)).toEqual({ next: 'retry', waitMs: 30_000 });
    expect(afterFailure(cause, 2, policy)).toEqual({ next: 'retry', waitMs: 60_000 });
  });

  test('when the attempts are used up, Slipway could not find out: errored', () => {
    const cause = { code: 'cluster-unreachable', sentence: 'away' } as const;
    expect(afterFailure(cause, 3, policy)).toEqual({ next: 'end', phase: 'errored' });
  });

  test('a bad release is not tried again: failed', () => {
    const cause = { code: 'image-not-found', sentence: 'missing' } as const;
    expect(afterFailure(cause, 1, policy)).toEqual({ next: 'end', phase: 'failed' });
  });

  test.each(CAUSE_CODES)('%s is tried again only if it is transient', (code) => {
    const after = afterFailure({ code, sentence: '' }, 1, policy);
    expect(after.next === 'retry').toBe(CAUSES[code].kind === 'transient');
  });

  test('no cause is tried for ever', () => {
    for (const code of CAUSE_CODES) {
      expect(afterFailure({ code, sentence: '' }, policy.attempts, policy).next).toBe('end');
    }
  });
});

test('the pause never shrinks and never passes its limit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), (failed) => {
      expect(backoffMs(policy, failed)).toBeLessThanOrEqual(policy.limitMs);
      expect(backoffMs(policy, failed + 1)).toBeGreaterThanOrEqual(backoffMs(policy, failed));
    }),
  );
});
