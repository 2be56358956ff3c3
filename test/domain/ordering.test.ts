import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideOrder, type Candidate } from '../../src/domain/ordering.ts';

// One branch: the commit `c3` descends from `c2`, `c1` and `c0`; `x` is on none of it.
const onBranch = (older: string, newer: string) =>
  older === newer ||
  (older !== 'x' && newer !== 'x' && Number(older.slice(1)) <= Number(newer.slice(1)));

describe('what waits in a lane is ordered by git ancestry', () => {
  test('the newest automatic commit runs and names itself to those that it replaces', () => {
    const decision = decideOrder('c0', [automatic('a', 'c2'), automatic('b', 'c3')], onBranch);
    expect(decision.keep).toEqual(['b']);
    expect(decision.refuse).toEqual([{ deploymentId: 'a', why: 'newer-commit', by: 'c3' }]);
  });

  test('an older commit that arrives late does not replace the newer one', () => {
    const decision = decideOrder('c0', [automatic('a', 'c3'), automatic('b', 'c2')], onBranch);
    expect(decision.keep).toEqual(['a']);
    expect(decision.refuse).toEqual([{ deploymentId: 'b', why: 'older-commit', by: 'c3' }]);
  });

  test('a commit older than the accepted one is refused', () => {
    const decision = decideOrder('c3', [automatic('a', 'c2')], onBranch);
    expect(decision).toEqual({
      keep: [],
      refuse: [{ deploymentId: 'a', why: 'older-commit', by: 'c3' }],
    });
  });

  test('a commit of a rewritten branch is refused', () => {
    const decision = decideOrder('c3', [automatic('a', 'x')], onBranch);
    expect(decision.refuse).toEqual([{ deploymentId: 'a', why: 'rewritten-history', by: 'c3' }]);
  });

  test('a person may deploy an older commit', () => {
    const manual = { deploymentId: 'a', commit: 'c1', kind: 'manual' as const };
    expect(decideOrder('c3', [manual], onBranch)).toEqual({ keep: ['a'], refuse: [] });
  });

  test('a rollback goes first and replaces what people asked for before it, not after', () => {
    const decision = decideOrder(
      'c3',
      [
        automatic('next', 'c5'),
        { deploymentId: 'before', commit: 'c4', kind: 'manual' },
        { deploymentId: 'back', commit: 'c1', kind: 'rollback' },
        { deploymentId: 'afterwards', commit: 'c2', kind: 'manual' },
      ],
      onBranch,
    );
    expect(decision.keep).toEqual(['back', 'afterwards', 'next']);
    expect(decision.refuse).toEqual([{ deploymentId: 'before', why: 'rollback', by: 'c1' }]);
  });

  test('in whatever order commits arrive, none is lost and the newest is kept', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat({ max: 50 }), { minLength: 1, maxLength: 12 }),
        fc.nat({ max: 50 }),
        (numbers, accepted) => {
          const candidates = numbers.map((number) => automatic(`d${number}`, `c${number}`));
          const decision = decideOrder(`c${accepted}`, candidates, onBranch);
          const newest = Math.max(...numbers);
          expect(decision.keep).toEqual(newest >= accepted ? [`d${newest}`] : []);
          const answered = [...decision.keep, ...decision.refuse.map((one) => one.deploymentId)];
          expect(answered.sort()).toEqual(candidates.map((one) => one.deploymentId).sort());
        },
      ),
    );
  });
});

function automatic(deploymentId: string, commit: string): Candidate {
  return { deploymentId, commit, kind: 'automatic' };
}
