import { expect, test } from 'vitest';
import { pickChartVersion } from '../../../src/domain/plan/chart-version.ts';

const VERSIONS = [
  ...['2.0.0-rc.1', '1.10.0', '1.9.3', '1.2.3', '1.2.0', '1.3.0-beta.2', '1.3.0-beta.10'],
  ...['0.3.1', '0.2.9', '0.2.3', '0.0.3', '0.0.1', 'v3.0.0', '3.1', 'not-a-version'],
];

// Each answer was compared with `helm search repo --version`; test/adapters/helmfile does it again.
test.each([
  ['1.2.3', '1.2.3'],
  ['^1.2.0', '1.10.0'],
  ['~1.2.0', '1.2.3'],
  ['1.2.x', '1.2.3'],
  ['1', '1.10.0'],
  ['=1.2', '1.2.3'],
  ['>1.2', '3.1'],
  ['>=1.0.0 <1.10.0', '1.9.3'],
  ['>=1.0.0, <1.10.0', '1.9.3'],
  ['<1.2', '0.3.1'],
  ['<=1.2', '1.2.3'],
  ['!=3.x <3', '1.10.0'],
  ['1.0 - 1.9', '1.9.3'],
  ['^0.2.3', '0.2.9'],
  ['^0.0.1', '0.0.1'],
  ['^0.0', '0.0.3'],
  ['^0', '0.3.1'],
  ['~0', '0.3.1'],
  ['*', '3.1'],
  ['', '3.1'],
  ['~1.3.0-beta.1', '1.3.0-beta.10'],
  ['1.3.0-beta.2', '1.3.0-beta.2'],
  ['>=2.0.0-0 <3', '2.0.0-rc.1'],
  ['v3.0.0', 'v3.0.0'],
  ['3.0.0', 'v3.0.0'],
  ['^9', undefined],
  ['^1 || ^0.2', '1.10.0'],
  ['latest', undefined],
  ['not-a-version', 'not-a-version'],
])('a range %j is resolved as helm does, to %s', (range, expected) => {
  expect(pickChartVersion(VERSIONS, range)).toBe(expected);
});
