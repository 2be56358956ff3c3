import { expect, test } from 'vitest';
import { dependenciesDigest, dependencyMove } from '../../../src/domain/plan/chart-dependencies.ts';

const common = { name: 'common', version: '1.0.0', digest: 'sha256:c1' };
const database = { name: 'database', version: '12.1.0', digest: 'sha256:d1' };
const before = dependenciesDigest([common, database]);

test.each([
  ['nothing', [common, database], undefined],
  [
    'a version',
    [common, { ...database, version: '12.2.0', digest: 'sha256:d2' }],
    'database 12.1.0 → 12.2.0',
  ],
  [
    'the content of a version',
    [{ ...common, digest: 'sha256:c2' }, database],
    'common 1.0.0 was published again with other content',
  ],
])('what moved among the dependencies of a chart is named: %s', (_what, now, expected) => {
  expect(dependencyMove(dependenciesDigest(now), before)).toBe(expected);
});

test('the digest of a chart of a repository says nothing of dependencies', () => {
  expect(dependencyMove('sha256:a', 'sha256:b')).toBeUndefined();
  expect(dependencyMove(before, 'sha256:b')).toBeUndefined();
  expect(dependencyMove('', '')).toBeUndefined();
});
