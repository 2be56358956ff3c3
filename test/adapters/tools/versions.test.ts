import { expect, test } from 'vitest';
import { compareVersions, isAccepted } from '../../../src/adapters/tools/versions.ts';

const range = { min: '1.36.0', below: '1.39.0' };

test.each([
  ['1.35.9', false],
  ['1.36.0', true],
  ['v1.37.2', true],
  ['1.37.2+vendor', true],
  ['1.38.10', true],
  ['1.39.0', false],
  ['2.0', false],
  ['unknown', false],
])('%s is accepted as 1.36 to 1.38: %s', (version, accepted) => {
  expect(isAccepted(version, range)).toBe(accepted);
});

test('numbers are compared as numbers, missing ones as zero', () => {
  expect(compareVersions('1.10', '1.9.9')).toBeGreaterThan(0);
  expect(compareVersions('1.26', '1.26.0')).toBe(0);
});
