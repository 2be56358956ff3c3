import { expect, test } from 'vitest';
import { freezesInForce, type FreezeWindow } from '../../src/config/freeze-calendar.ts';

const weekend: FreezeWindow = {
  ...{ cron: '0 17 * * 5', until: '0 9 * * 1', timezone: 'Europe/London', reason: 'weekend' },
};
const nightly = (timezone: string): FreezeWindow => ({
  ...{ cron: '30 1 * * *', until: '30 2 * * *', timezone, reason: 'backup' },
});

test.each([
  ['a second before it begins', '2026-01-09T16:59:59.999Z', undefined],
  ['when it begins', '2026-01-09T17:00:00.000Z', '2026-01-12T09:00:00.000Z'],
  ['in the middle', '2026-01-11T03:00:00.000Z', '2026-01-12T09:00:00.000Z'],
  ['a moment before it ends', '2026-01-12T08:59:59.999Z', '2026-01-12T09:00:00.000Z'],
  ['when it ends', '2026-01-12T09:00:00.000Z', undefined],
  ['in the week', '2026-01-14T12:00:00.000Z', undefined],
  // Clocks go forward on Sunday 29 March: the end is an hour earlier in UTC.
  ['over the start of summer time', '2026-03-28T12:00:00.000Z', '2026-03-30T08:00:00.000Z'],
  ['at its end in summer time', '2026-03-30T08:00:00.000Z', undefined],
  ['before it begins in summer time', '2026-07-03T15:59:00.000Z', undefined],
  ['when it begins in summer time', '2026-07-03T16:00:00.000Z', '2026-07-06T08:00:00.000Z'],
  // Clocks go back on Sunday 25 October.
  ['over the end of summer time', '2026-10-24T12:00:00.000Z', '2026-10-26T09:00:00.000Z'],
])('the weekend, %s', (_when, now, until) => {
  const expected = until ? [{ reason: 'weekend', timezone: 'Europe/London', until }] : [];
  expect(freezesInForce([weekend], now)).toEqual(expected);
});

test.each([
  // 01:30 is skipped: it begins when the clock jumps to 02:00.
  ['a start that the clock skips', '2026-03-29T01:00:00.000Z', '2026-03-29T01:30:00.000Z'],
  ['before that', '2026-03-29T00:59:00.000Z', undefined],
  // 01:30 comes twice: the first one counts, and 02:30 comes once.
  ['a start that comes twice', '2026-10-25T00:30:00.000Z', '2026-10-25T02:30:00.000Z'],
  ['at its second time', '2026-10-25T01:30:00.000Z', '2026-10-25T02:30:00.000Z'],
  ['at the end of that night', '2026-10-25T02:30:00.000Z', undefined],
])('a night when clocks change: %s', (_when, now, until) => {
  const [freeze] = freezesInForce([nightly('Europe/London')], now);
  expect(freeze?.until).toBe(until);
});

test('windows that overlap are all in force', () => {
  const december: FreezeWindow = {
    ...{ cron: '0 0 20 12 *', until: '0 0 2 1 *', timezone: 'UTC', reason: 'Christmas' },
  };
  const now = '2026-12-26T12:00:00.000Z';
  expect(
    freezesInForce([weekend, december], now).map(({ reason, until }) => [reason, until]),
  ).toEqual([
    ['weekend', '2026-12-28T09:00:00.000Z'],
    ['Christmas', '2027-01-02T00:00:00.000Z'],
  ]);
});
