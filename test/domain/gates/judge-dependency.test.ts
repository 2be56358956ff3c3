import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DependencyFact, PastDeployment } from '../../../src/domain/gates/dependency.ts';
import { judgeDependency, sayKeysOnlyHere } from '../../../src/domain/gates/judge-dependency.ts';
import { followsOthers, judgeGates } from '../../../src/domain/gates/judge-gates.ts';

const NOW = '2026-01-09T12:05:00.000Z';
const NOON = '2026-01-09T12:00:00.000Z';

type Known = Exclude<DependencyFact, { unknown: string }>;
type Versions = Record<string, string>;

/** cs-prod brings these versions; cs-uat runs those. */
function fact(brings: Versions, there: Versions[], change: Partial<Known> = {}): Known {
  return {
    ...{ environment: 'cs-prod', on: 'notprod/cs-uat', soakMs: 0 },
    ...{ declared: new Map(Object.entries(brings)), changed: Object.keys(brings) },
    past: there.map((versions) => past(versions)),
    ...change,
  };
}

function past(versions: Versions, change: Partial<PastDeployment> = {}): PastDeployment {
  const map = new Map(Object.entries(versions));
  const what = { number: 812, releaseNumber: 5, state: 'good', endedAt: NOON } as const;
  return { ...what, versions: map, failed: [], ...change };
}

const AUDIT = { 'hocs-audit': '2.18.4' };
const MANY = { a: '2', b: '2', c: '2', d: '2', e: '2' };

test.each<[what: string, fact: DependencyFact, sentence: string | undefined]>([
  ['the same version', fact(AUDIT, [AUDIT]), undefined],
  [
    'another version',
    fact(AUDIT, [{ 'hocs-audit': '2.18.3' }]),
    'cs-prod waits until notprod/cs-uat runs hocs-audit 2.18.4 (there: 2.18.3).',
  ],
  [
    'another version of what does not change here',
    fact(AUDIT, [{ 'hocs-audit': '2.18.3' }], { changed: [] }),
    undefined,
  ],
  [
    'nothing there',
    fact(AUDIT, []),
    'cs-prod waits until notprod/cs-uat runs hocs-audit 2.18.4 (there: nothing good yet).',
  ],
  [
    'a failure there',
    fact(AUDIT, [], { past: [past(AUDIT, { state: 'bad' })] }),
    'cs-prod waits until notprod/cs-uat runs hocs-audit 2.18.4 (there: nothing good yet).',
  ],
  [
    'a failure of a newer version there',
    fact(AUDIT, [], { past: [past({ 'hocs-audit': '2.18.5' }, { state: 'bad' }), past(AUDIT)] }),
    'cs-prod waits until notprod/cs-uat runs hocs-audit 2.18.4 (there: 2.18.5, but deployment 812 did not succeed).',
  ],
  [
    'the same version, which is degraded now',
    fact(AUDIT, [], { past: [past(AUDIT, { failed: ['hocs-audit'] })] }),
    'cs-prod waits until notprod/cs-uat runs hocs-audit 2.18.4 (there: 2.18.4, which is degraded now).',
  ],
  [
    'something under way there',
    fact(AUDIT, [], {
      past: [past({ 'hocs-audit': '2.18.5' }, { state: 'under-way' }), past(AUDIT)],
    }),
    'cs-prod waits until notprod/cs-uat runs hocs-audit 2.18.4 (there: 2.18.5, which deployment 812 is bringing).',
  ],
  [
    'many versions',
    fact(MANY, [{ ...MANY, a: '1', b: '1', c: '1', d: '1' }]),
    'cs-prod waits until notprod/cs-uat runs a 2 (there: 1), b 2 (there: 1), c 2 (there: 1) and 1 more.',
  ],
  ['a key that only this side has', fact({ ...AUDIT, own: '1' }, [AUDIT]), undefined],
  ['a key that only the other side has', fact(AUDIT, [{ ...AUDIT, its: '1' }]), undefined],
  [
    'a key that only this side has, while it waits for another',
    fact({ ...AUDIT, own: '1' }, [{ 'hocs-audit': '2.18.3' }]),
    'cs-prod waits until notprod/cs-uat runs hocs-audit 2.18.4 (there: 2.18.3). notprod/cs-uat has no version of own: for that cs-prod does not wait.',
  ],
  [
    'no key in common',
    fact(AUDIT, [{ its: '1' }]),
    'cs-prod waits for notprod/cs-uat, but nobody can tell what is the same there: their versions.yaml have no key in common; let cs-prod follow an environment that runs the same services. An override of the gate "dependency" lets this deployment pass.',
  ],
  [
    'what cannot be read',
    {
      ...{ environment: 'cs-prod', on: 'notprod/cs-uat', soakMs: 0 },
      unknown: 'notprod at 7c1e0fa2: there is no versions.yaml',
    },
    'cs-prod waits for notprod/cs-uat, but nobody can tell what is the same there: notprod at 7c1e0fa2: there is no versions.yaml. An override of the gate "dependency" lets this deployment pass.',
  ],
  [
    'a soak that is not over',
    fact(AUDIT, [AUDIT], { soakMs: 7_200_000 }),
    'cs-prod waits until Fri 14:00 UTC (soak of 2h): notprod/cs-uat has run hocs-audit 2.18.4 since Fri 12:00 UTC.',
  ],
  ['a soak that is over', fact(AUDIT, [AUDIT], { soakMs: 300_000 }), undefined],
  ['a soak of nothing', fact(AUDIT, [AUDIT], { changed: [], soakMs: 7_200_000 }), undefined],
  [
    'a release that came there, as it soaks',
    fact({}, [{}], { on: 'cs-qa', releaseNumber: 5, soakMs: 1_800_000 }),
    'cs-prod waits until Fri 12:30 UTC (soak of 30m): cs-qa has run release #5 since Fri 12:00 UTC.',
  ],
  [
    'a release that is no longer there',
    fact({}, [{}], { on: 'cs-qa', releaseNumber: 6, soakMs: 1_800_000 }),
    'cs-prod waits until cs-qa runs release #6 (there: release #5).',
  ],
])('%s', (_what, facts, sentence) => {
  const waiting = judgeDependency(facts, NOW);
  expect(waiting?.sentence).toBe(sentence);
});

test('a soak says when it is over', () => {
  const soaking = fact(AUDIT, [AUDIT], { soakMs: 7_200_000 });
  expect(judgeDependency(soaking, NOW)?.until).toBe('2026-01-09T14:00:00.000Z');
  expect(judgeDependency(fact(AUDIT, []), NOW)).not.toHaveProperty('until');
});

test('keys of one side are said where nobody waits for them', () => {
  expect(sayKeysOnlyHere(fact({ ...AUDIT, own: '1' }, [AUDIT]))).toEqual([
    'notprod/cs-uat has no version of own: for that cs-prod does not wait.',
  ]);
  expect(sayKeysOnlyHere(fact(AUDIT, [AUDIT]))).toEqual([]);
});

test('it is open only if every version that both have and that changes is the same there', () => {
  const versions = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'));
  fc.assert(
    fc.property(versions, versions, fc.subarray(['a', 'b', 'c']), (brings, there, keys) => {
      const changed = keys.filter((key) => key in brings);
      const waiting = judgeDependency(fact(brings, [there], { changed }), NOW);
      const differs = changed.some((key) => key in there && there[key] !== brings[key]);
      const shares = Object.keys(brings).some((key) => key in there);
      expect(waiting === undefined).toBe(changed.length === 0 || (shares && !differs));
      expect(waiting?.sentence ?? 'x.').toMatch(/^[^\n]+\.$/);
    }),
  );
});

test('it comes before a hold, and neither a rollback nor what a person let pass waits for it', () => {
  const hold = { by: 'ada', reason: 'Looking', since: NOON };
  const dependencies = [fact(AUDIT, [])];
  const facts = { hold, dependencies, stops: [], freezes: [] };
  const judge = (kind: 'automatic' | 'manual' | 'rollback', overridden: 'dependency'[]) =>
    judgeGates({ ...facts, kind, overridden }, NOW)?.reason;
  expect(judge('automatic', [])).toBe('dependency');
  expect(judge('manual', [])).toBe('dependency');
  expect(judge('automatic', ['dependency'])).toBe('hold');
  expect(judge('rollback', [])).toBeUndefined();
  expect(followsOthers({ kind: 'manual', overridden: ['stop'] })).toBe(true);
});
