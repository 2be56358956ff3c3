import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  changedKeys,
  untilGoodBefore,
  versionHealth,
  type PastDeployment,
} from '../../../src/domain/gates/dependency.ts';

/** The n-th deployment, which ended in the n-th minute. */
function deployed(
  number: number,
  state: PastDeployment['state'],
  versions: Record<string, string>,
  failed: (string | undefined)[] = [],
): PastDeployment {
  const ended = state === 'under-way' ? {} : { endedAt: minute(number) };
  const map = new Map(Object.entries(versions));
  return { number, releaseNumber: number, state, versions: map, failed, ...ended };
}

function minute(number: number): string {
  return new Date(Date.UTC(2026, 0, 1, 0, number)).toISOString();
}

describe('since when a version is healthy somewhere', () => {
  const A = { audit: '2.18.4', search: '3.0.4' };
  const OLD = { ...A, audit: '2.18.3' };
  const NEW = { ...A, audit: '2.18.5' };
  const OTHER = { ...A, search: '3.0.5' };

  // Oldest first, as it happened.
  test.each<[what: string, since: number | undefined, past: PastDeployment[]]>([
    ['nothing was deployed', undefined, []],
    ['it was deployed', 1, [deployed(1, 'good', A)]],
    ['another one was', undefined, [deployed(1, 'good', OLD)]],
    ['it came later', 2, [deployed(1, 'good', OLD), deployed(2, 'good', A)]],
    ['it was replaced', undefined, [deployed(1, 'good', A), deployed(2, 'good', NEW)]],
    ['something else came since', 1, [deployed(1, 'good', A), deployed(2, 'good', OTHER)]],
    [
      'it went and came back',
      3,
      [deployed(1, 'good', A), deployed(2, 'good', NEW), deployed(3, 'good', A)],
    ],
    ['its deployment failed', undefined, [deployed(1, 'good', OLD), deployed(2, 'bad', A)]],
    ['a newer one failed', undefined, [deployed(1, 'good', A), deployed(2, 'bad', NEW)]],
    [
      'a newer one is under way',
      undefined,
      [deployed(1, 'good', A), deployed(2, 'under-way', NEW)],
    ],
    ['another service failed', 1, [deployed(1, 'good', A), deployed(2, 'bad', OTHER, ['search'])]],
    [
      'it failed with the same version',
      undefined,
      [deployed(1, 'good', A), deployed(2, 'bad', A, ['audit'])],
    ],
    [
      'a service failed whose key nobody knows',
      undefined,
      [deployed(1, 'good', A), deployed(2, 'bad', OTHER, [undefined])],
    ],
    ['another service is under way', 1, [deployed(1, 'good', A), deployed(2, 'under-way', OTHER)]],
    ['a newer one was taken back', 2, [deployed(1, 'good', A), deployed(2, 'undone', NEW)]],
    ['it was taken back', undefined, [deployed(1, 'good', OLD), deployed(2, 'undone', A)]],
    ['another service was taken back', 1, [deployed(1, 'good', A), deployed(2, 'undone', OTHER)]],
    [
      'two newer ones were taken back',
      3,
      [deployed(1, 'good', A), deployed(2, 'undone', NEW), deployed(3, 'undone', NEW)],
    ],
    [
      'a failure was repaired',
      3,
      [deployed(1, 'good', A), deployed(2, 'bad', NEW), deployed(3, 'good', A)],
    ],
  ])('%s', (_what, since, past) => {
    const health = versionHealth(past.toReversed(), 'audit', '2.18.4');
    expect(health.healthy ? health.since : undefined).toBe(
      since === undefined ? undefined : minute(since),
    );
  });

  const history = fc
    .array(
      fc.record({
        state: fc.constantFrom<PastDeployment['state']>('good', 'good', 'undone', 'bad'),
        audit: fc.constantFrom('1', '2'),
        failed: fc.boolean(),
      }),
      { maxLength: 12 },
    )
    .map((all) =>
      all.map(({ state, audit, failed }, index) =>
        deployed(index, state, { audit }, failed && state !== 'good' ? ['audit'] : []),
      ),
    );

  test('no version is healthy that the newest settled deployment did not leave', () => {
    fc.assert(
      fc.property(history, (happened) => {
        const past = happened.toReversed();
        const health = versionHealth(past, 'audit', '2');
        const settled = past.find(({ state }) => state === 'good');
        if (settled?.versions.get('audit') !== '2') expect(health.healthy).toBe(false);
        const doubtful = past.slice(0, settled ? past.indexOf(settled) : 0);
        const broken = doubtful.some(
          ({ state, versions, failed }) =>
            state === 'bad' && (versions.get('audit') !== '2' || failed.length > 0),
        );
        if (broken) expect(health.healthy).toBe(false);
        // Not both.
        const other = versionHealth(past, 'audit', '1');
        expect(health.healthy && other.healthy).toBe(false);
      }),
    );
  });

  test('a soak is as long as the time in which nothing else was there', () => {
    fc.assert(
      fc.property(history, (happened) => {
        const health = versionHealth(happened.toReversed(), 'audit', '2');
        if (!health.healthy) return;
        const meanwhile = happened.filter(({ endedAt = '' }) => endedAt > health.since);
        const replaced = meanwhile.some(
          ({ state, versions }) => state === 'good' && versions.get('audit') !== '2',
        );
        expect(replaced).toBe(false);
        expect(happened.map(({ endedAt }) => endedAt)).toContain(health.since);
      }),
    );
  });

  test('what is left out because it is too old changes no answer about a soak', () => {
    fc.assert(
      fc.property(history, fc.nat(12), (happened, start) => {
        const past = happened.toReversed();
        const healthyBy = (all: readonly PastDeployment[]) => {
          const health = versionHealth(all, 'audit', '2');
          return health.healthy && health.since <= minute(start);
        };
        expect(healthyBy(untilGoodBefore(past, minute(start)))).toBe(healthyBy(past));
        const isHealthy = (all: readonly PastDeployment[]) =>
          versionHealth(all, 'audit', '2').healthy;
        expect(isHealthy(untilGoodBefore(past, minute(start)))).toBe(isHealthy(past));
      }),
    );
  });
});

test('a deployment changes the versions that are not good here already', () => {
  const declared = new Map(Object.entries({ audit: '2', search: '1', extracts: '7' }));
  const here = [deployed(1, 'good', { audit: '1', search: '1' })];
  expect(changedKeys(declared, here)).toEqual(['audit', 'extracts']);
  expect(changedKeys(declared, [])).toEqual(['audit', 'search', 'extracts']);
  const failed = deployed(2, 'bad', { audit: '2', search: '1', extracts: '7' }, ['audit']);
  expect(changedKeys(declared, [failed, ...here])).toEqual(['audit', 'extracts']);
});
