import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatHolder,
  judgeHolder,
  parseHolder,
  type Holder,
  type ProcessIdentity,
} from '../../src/domain/lease.ts';

const me: ProcessIdentity = { host: 'worker-1', place: 'boot-a-1', pid: 10, startedTicks: '500' };
const other: ProcessIdentity = { ...me, pid: 11, startedTicks: '600' };
const nobodyRuns = () => false;
const everybodyRuns = () => true;

describe('the holder of an environment', () => {
  test('is nobody when there is no Lease, or it was given back', () => {
    expect(judgeHolder(undefined, me, everybodyRuns)).toEqual({ holder: 'none' });
    expect(judgeHolder(lease({ holder: '' }), me, everybodyRuns)).toEqual({ holder: 'none' });
  });

  test('is alive while it renews, and is named', () => {
    const judgement = judgeHolder(
      lease({ process: { ...other, place: 'boot-b-1' } }),
      me,
      nobodyRuns,
    );
    expect(judgement).toMatchObject({ holder: 'alive' });
    expect(judgement).toHaveProperty('who', 'apply of dep_1, attempt 2, process 11 on worker-1');
  });

  test('is dead at once when its process is gone from the place where I am', () => {
    expect(judgeHolder(lease({ process: other }), me, nobodyRuns)).toEqual({ holder: 'dead' });
  });

  test('is alive when its process is frozen: silence proves nothing', () => {
    const frozen = lease({ process: other, silentMs: 3_600_000 });
    expect(judgeHolder(frozen, me, everybodyRuns).holder).toBe('alive');
  });

  test('is dead when its host was started again, and its Lease has been silent', () => {
    const process = { ...other, place: 'boot-before-1' };
    expect(judgeHolder(lease({ process }), me, nobodyRuns).holder).toBe('alive');
    expect(judgeHolder(lease({ process, silentMs: 60_000 }), me, nobodyRuns).holder).toBe('dead');
  });

  test('is not known to be dead when it is silent on a host that I cannot see', () => {
    const process = { ...other, host: 'worker-2', place: 'boot-b-1' };
    const judgement = judgeHolder(lease({ process, silentMs: 3_600_000 }), me, nobodyRuns);
    expect(judgement).toMatchObject({ holder: 'unknown' });
    expect(judgement).toHaveProperty('who', expect.stringContaining('worker-2'));
  });

  test('is not judged dead when somebody else wrote the Lease', () => {
    const foreign = { holder: 'kubectl', silentMs: 3_600_000, durationMs: 60_000 };
    expect(judgeHolder(foreign, me, nobodyRuns)).toEqual({ holder: 'unknown', who: 'kubectl' });
  });
});

test('what is written into a Lease is read back', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,30}$/);
  fc.assert(
    fc.property(
      name,
      fc.nat(),
      name,
      name,
      fc.nat(),
      fc.nat(),
      (id, attempt, host, place, pid, ticks) => {
        const holder: Holder = {
          deploymentId: id,
          attempt,
          operation: 'apply',
          process: { host, place, pid, startedTicks: String(ticks) },
        };
        expect(parseHolder(formatHolder(holder))).toEqual(holder);
      },
    ),
  );
});

function lease(facts: { holder?: string; process?: ProcessIdentity; silentMs?: number }) {
  const holder: Holder = {
    deploymentId: 'dep_1',
    attempt: 2,
    operation: 'apply',
    process: facts.process ?? other,
  };
  return {
    holder: facts.holder ?? formatHolder(holder),
    silentMs: facts.silentMs ?? 0,
    durationMs: 60_000,
  };
}
