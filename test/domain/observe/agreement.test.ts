import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  disagreementInWords,
  judgeAgreement,
  type AgreementResult,
  type Observed,
} from '../../../src/domain/observe/agreement.ts';
import { isBusy, isSame, type HelmMark } from '../../../src/domain/observe/helm-marks.ts';

const mark = (helmRevision: number, manifest: string, status = 'deployed'): HelmMark => ({
  ...{ service: 'api', helmRevision, manifest, status },
});
const service = { name: 'api', chart: 'charts/api' };

/** One service: planned or not, what ran before and after, and whether it still differs. */
function judge(change: Partial<Observed>): AgreementResult | 'nothing' {
  const { services } = judgeAgreement({
    ...{ planned: [], adopted: [], recorded: [], before: [], after: [], differing: [] },
    ...change,
  });
  return services[0]?.result ?? 'nothing';
}

describe('what another pipeline did, beside what was planned:', () => {
  const planned = [service];
  const differing = [service];
  const was = [mark(4, 'a')];
  test.each<[string, Partial<Observed>, AgreementResult | 'nothing']>([
    ['the planned change', { planned, before: was, after: [mark(5, 'b')] }, 'agreed'],
    ['the planned install', { planned, before: [], after: [mark(1, 'a')] }, 'agreed'],
    ['the planned uninstall', { planned, before: was, after: [] }, 'agreed'],
    ['nothing of it', { planned, before: was, after: was, differing }, 'not-done'],
    [
      'the same manifest in another revision',
      { planned, before: was, after: [mark(5, 'a')], differing },
      'not-done',
    ],
    ['something else', { planned, before: was, after: [mark(5, 'c')], differing }, 'different'],
    [
      'the change, but Helm failed',
      { planned, before: was, after: [mark(5, 'a', 'failed')], differing },
      'different',
    ],
    ['a change of what was not planned', { before: was, after: [mark(5, 'b')] }, 'not-planned'],
    ['an uninstall of what was not planned', { before: was, after: [] }, 'not-planned'],
    ['an install of what was not planned', { before: [], after: was }, 'not-planned'],
    ['an upgrade without a change', { before: was, after: [mark(5, 'a')] }, 'nothing'],
    ['nothing', { before: was, after: was }, 'nothing'],
    ['nothing, and a chart moved meanwhile', { before: was, after: was, differing }, 'nothing'],
    [
      'an input that is never the same twice',
      {
        planned: [{ ...service, unstable: true }],
        ...{ before: was, after: [mark(5, 'c')], differing },
      },
      'agreed',
    ],
    [
      'the change, faster than the plan',
      {
        adopted: [{ ...service, helmRevision: 5, fingerprint: 'new' }],
        recorded: [{ name: 'api', lastEnd: 'succeeded', helmRevision: 4, fingerprint: 'old' }],
        ...{ before: [mark(5, 'b')], after: [mark(5, 'b')] },
      },
      'agreed',
    ],
    [
      'an upgrade without a change, faster than the plan',
      {
        adopted: [{ ...service, helmRevision: 5, fingerprint: 'same' }],
        recorded: [{ name: 'api', lastEnd: 'succeeded', helmRevision: 4, fingerprint: 'same' }],
        ...{ before: [mark(5, 'b')], after: [mark(5, 'b')] },
      },
      'nothing',
    ],
  ])('%s', (_title, observed, result) => {
    expect(judge(observed)).toBe(result);
  });

  test('a disagreement is told in one sentence, with each service that differs', () => {
    const observation = judgeAgreement({
      planned: [service, { ...service, name: 'audit' }],
      ...{ adopted: [], recorded: [], before: was, differing: [service] },
      after: [mark(4, 'a'), { ...mark(1, 'x'), service: 'web' }],
    });
    expect(observation.verdict).toBe('disagreed');
    expect(disagreementInWords(observation)).toBe(
      'Observed only; the other pipeline did otherwise: api (planned, but they left it alone), ' +
        'web (they changed it, and it was not planned).',
    );
  });

  const names = fc.subarray(['a', 'b', 'c', 'd']);
  const marks = fc
    .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 3 }))
    .map((found) =>
      Object.entries(found).map(([name, revision]) => ({
        ...mark(revision, `m${revision}`),
        service: name,
      })),
    );
  test('the verdict is agreed only where each change was planned, and each plan came true', () => {
    fc.assert(
      fc.property(names, names, marks, marks, (planned, left, before, after) => {
        const plans = (list: string[]) => list.map((name) => ({ ...service, name }));
        const { verdict, services } = judgeAgreement({
          ...{ planned: plans(planned), differing: plans(left), before, after },
          ...{ adopted: [], recorded: [] },
        });
        const manifests = (list: HelmMark[]) =>
          new Map(list.map((one) => [one.service, one.manifest]));
        const changed = ['a', 'b', 'c', 'd'].filter(
          (name) => manifests(before).get(name) !== manifests(after).get(name),
        );
        const allPlanned = changed.every((name) => planned.includes(name));
        const allDone = planned.every((name) => !left.includes(name));
        expect(verdict === 'disagreed').toBe(!(allPlanned && allDone));
        expect(verdict === 'unchanged').toBe(planned.length === 0 && changed.length === 0);
        expect(services.map((one) => one.service)).toEqual(
          [...new Set([...planned, ...changed])].sort(),
        );
      }),
    );
  });
});

test('a look at Helm tells whether somebody was or is at work', () => {
  expect(isSame([mark(1, 'a')], [mark(1, 'a')])).toBe(true);
  expect(isSame([mark(1, 'a')], [mark(2, 'a')])).toBe(false);
  expect(isSame([mark(1, 'a')], [mark(1, 'a', 'failed')])).toBe(false);
  expect(isSame([], [mark(1, 'a')])).toBe(false);
  expect(isSame([mark(1, 'a')], [])).toBe(false);
  expect(isBusy([mark(1, 'a', 'pending-upgrade')])).toBe(true);
  expect(isBusy([mark(1, 'a', 'uninstalling')])).toBe(true);
  expect(isBusy([mark(1, 'a', 'failed')])).toBe(false);
});
