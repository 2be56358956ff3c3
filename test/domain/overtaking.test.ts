import { expect, test } from 'vitest';
import { supersededBy, takesPlaceOf, type DeploymentKind } from '../../src/domain/overtaking.ts';

test.each([
  ['automatic', 'automatic', true],
  ['manual', 'automatic', true],
  ['rollback', 'automatic', true],
  ['automatic', 'manual', false],
  ['manual', 'manual', false],
  ['rollback', 'manual', true],
  ['automatic', 'rollback', false],
  ['manual', 'rollback', false],
  ['rollback', 'rollback', true],
] as [DeploymentKind, DeploymentKind, boolean][])(
  '%s takes the place of a running %s: %s',
  (newcomer, running, expected) => {
    expect(takesPlaceOf({ kind: newcomer }, { kind: running })).toBe(expected);
  },
);

test('what was superseded names the release that took its place', () => {
  const newcomer = { releaseNumber: 412, commit: 'abcd1234'.padEnd(40, '0') };
  expect(supersededBy({ ...newcomer, kind: 'automatic' })).toEqual({
    code: 'newer-commit',
    sentence: 'Release #412 (abcd1234) took its place.',
  });
  expect(supersededBy({ ...newcomer, kind: 'rollback' }).sentence).toBe(
    'The rollback to release #412 (abcd1234) took its place.',
  );
});
