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

  test('that is silent in a pod I cannot see into is judged by whether its pod is gone', () => {
    const pod = { namespace: 'slipway', name: 'worker-2', uid: 'a-uid' };
    const process = { ...other, host: 'worker-2', place: 'boot-b-1', pod };
    const silent = judgeHolder(lease({ process, silentMs: 60_000 }), me, nobodyRuns);
    expect(silent).toMatchObject({ holder: 'unknown', pod });
    // While it renews, nobody asks.
    expect(judgeHolder(lease({ process }), me, nobodyRuns)).not.toHaveProperty('pod');
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
      fc.option(fc.record({ namespace: name, name, uid: name })),
      (id, attempt, host, place, pid, ticks, pod) => {
        const holder: Holder = {
          deploymentId: id,
          attempt,
          operation: 'apply',
          process: { host, place, pid, startedTicks: String(ticks), ...(pod ? { pod } : {}) },
        };
        expect(parseHolder(formatHolder(holder))).toEqual(holder);
      },
    ),
  );
});

test.each([
  ['too few parts', 'dep_1/2/apply/host/place/10'],
  ['half a pod', 'dep_1/2/apply/host/place/10/500/slipway/worker-2'],
  ['another operation', 'dep_1/2/delete/host/place/10/500'],
  ['no number', 'dep_1/two/apply/host/place/10/500'],
  ['an empty part', '/2/apply/host/place/10/500'],
])('%s is no holder of ours', (_what, text) => {
  expect(parseHolder(text)).toBeUndefined();
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
