import { expect, test } from 'vitest';
import {
  cancelledCause,
  supersededBy,
  takesPlaceOf,
  type DeploymentKind,
  type Left,
} from '../../src/domain/overtaking.ts';

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

const failed = { attempt: 2, cause: { code: 'crash-loop', sentence: 'It crashes.' } } as const;

test.each<[what: string, left: Partial<Left>, superseded: string, cancelled: string]>([
  ['nothing was begun', {}, 'Release #7 (abcd1234) took its place.', 'Cancelled by alice.'],
  [
    'it was applied',
    { applied: true },
    'Release #7 (abcd1234) took its place. It was applied, but not verified.',
    'Cancelled by alice, after the apply had gone through: not verified.',
  ],
  [
    'an attempt had failed',
    { applied: true, failed },
    'Release #7 (abcd1234) took its place. Attempt 2 had failed: It crashes.',
    'Cancelled by alice, after the apply had gone through: not verified.',
  ],
  [
    'it was taken back',
    { applied: true, takingBack: true },
    'Release #7 (abcd1234) took its place. It was applied, but not verified.',
    'Cancelled by alice, while it was taken back: what was not done yet is left as it is.',
  ],
])(
  'a deployment that is left says how far it had come: %s',
  (_what, left, superseded, cancelled) => {
    const whole = { applied: false, takingBack: false, ...left };
    const newcomer = { releaseNumber: 7, commit: 'abcd1234'.padEnd(40, '0') };
    expect(supersededBy({ ...newcomer, kind: 'automatic' }, whole).sentence).toBe(superseded);
    expect(cancelledCause('alice', whole)).toEqual({ code: 'cancelled', sentence: cancelled });
  },
);

test('a cancel that no person asked Slipway for says so', () => {
  const { sentence } = cancelledCause(undefined, { applied: false, takingBack: false });
  expect(sentence).toBe('Cancelled in Temporal.');
});
