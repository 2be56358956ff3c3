import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DURATION_PATTERN, parseDuration } from '../../src/config/duration.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['10m', 600_000],
  ['2h', 7_200_000],
  ['0s', 0],
  ['007s', 7_000],
])('%s is %i milliseconds', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  '',
  '30',
  's',
  '-1s',
  '+1s',
  '1.5h',
  '1h30m',
  ' 1s',
  '1s ',
  '1s\n',
  '1S',
  '1d',
  '1e3s',
  '٣s',
  '1234567890s',
])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test('every whole number with a unit is that many units, and never too large to count', () => {
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  fc.assert(
    fc.property(fc.nat(999_999_999), fc.constantFrom(...Object.entries(units)), (n, [unit, ms]) => {
      expect(parseDuration(`${n}${unit}`)).toBe(n * ms);
      expect(Number.isSafeInteger(n * ms)).toBe(true);
    }),
  );
});

test('the schema’s pattern and the parser agree on any text', () => {
  const pattern = new RegExp(DURATION_PATTERN, 'u');
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{0,11}(ms|s|m|h)?$/)), (text) => {
      expect(parseDuration(text) !== undefined).toBe(pattern.test(text));
    }),
  );
});
