import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Verdict } from '../../../src/domain/gates/facts.ts';
import { judgeApproval } from '../../../src/domain/gates/judge-approval.ts';

const plan = { digest: 'sha256:ab', since: '2026-01-09T12:00:00.000Z' };
const NOW = '2026-01-09T18:00:00.000Z';
const policy = { count: 2, from: ['release-managers'] };

function verdict(person: string, change: Partial<Verdict> = {}): Verdict {
  return { person, groups: ['release-managers'], verdict: 'approved', comment: '', ...change };
}

test('it waits and says how many of whom, and until when', () => {
  expect(judgeApproval(policy, plan, [verdict('ada')], NOW)).toEqual({
    answer: 'wait',
    waiting: {
      reason: 'approval',
      sentence: 'Waiting for approval: 1 of 2 from release-managers.',
      digest: 'sha256:ab',
      groups: ['release-managers'],
      count: 2,
      since: plan.since,
    },
  });
  const expiring = { count: 1, from: ['a', 'b'], expiresMs: 86_400_000 };
  expect(judgeApproval(expiring, plan, [], NOW)).toMatchObject({
    waiting: {
      sentence: 'Waiting for approval: 0 of 1 from a or b; expires Sat 12:00 UTC.',
      until: '2026-01-10T12:00:00.000Z',
    },
  });
  expect(judgeApproval({ count: 1, from: [] }, plan, [], NOW)).toMatchObject({
    waiting: { sentence: 'Waiting for approval: 0 of 1 from anybody.' },
  });
});

test('one person counts once, and only who is asked counts', () => {
  const twice = [verdict('ada'), verdict('ada')];
  expect(judgeApproval(policy, plan, twice, NOW).answer).toBe('wait');
  const stranger = [verdict('ada'), verdict('bob', { groups: ['devs'] })];
  expect(judgeApproval(policy, plan, stranger, NOW).answer).toBe('wait');
  const both = [verdict('ada'), verdict('bob', { groups: ['devs', 'release-managers'] })];
  expect(judgeApproval(policy, plan, both, NOW).answer).toBe('approved');
});

test('a rejection by one who is asked ends it, whoever approved', () => {
  const no = verdict('eve', { verdict: 'rejected', comment: 'Not on a Friday' });
  const all = [verdict('ada'), verdict('bob'), no];
  expect(judgeApproval(policy, plan, all, NOW)).toEqual({
    answer: 'end',
    cause: { code: 'approval-rejected', sentence: 'Rejected by eve: Not on a Friday.' },
  });
  const stranger = { ...no, groups: [] };
  expect(judgeApproval(policy, plan, [stranger], NOW).answer).toBe('wait');
});

test('it expires at its time, unless it was approved before', () => {
  const expiring = { ...policy, expiresMs: 6 * 3_600_000 };
  expect(judgeApproval(expiring, plan, [verdict('ada')], NOW)).toEqual({
    answer: 'end',
    cause: {
      code: 'approval-timeout',
      sentence: 'Approvals expired at Fri 18:00 UTC: 1 of 2 from release-managers.',
    },
  });
  const approved = [verdict('ada'), verdict('bob')];
  expect(judgeApproval(expiring, plan, approved, NOW).answer).toBe('approved');
});

test('it is approved exactly when enough different people of the groups did, and nobody rejected', () => {
  const someone = fc.record({
    person: fc.constantFrom('ada', 'bob', 'eve', 'kim'),
    groups: fc.subarray(['release-managers', 'devs']),
    verdict: fc.constantFrom<Verdict['verdict']>('approved', 'approved', 'approved', 'rejected'),
    comment: fc.string(),
  });
  fc.assert(
    fc.property(fc.array(someone), fc.integer({ min: 1, max: 4 }), (verdicts, count) => {
      const asked = verdicts.filter(({ groups }) => groups.includes('release-managers'));
      const rejected = asked.some((one) => one.verdict === 'rejected');
      const people = new Set(asked.map(({ person }) => person)).size;
      const answer = judgeApproval({ ...policy, count }, plan, verdicts, NOW).answer;
      const expected = rejected ? 'end' : people >= count ? 'approved' : 'wait';
      expect(answer).toBe(expected);
    }),
  );
});
