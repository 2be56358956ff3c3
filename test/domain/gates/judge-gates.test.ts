import { expect, test } from 'vitest';
import type { GateFacts, Waiting } from '../../../src/domain/gates/facts.ts';
import { judgeGates } from '../../../src/domain/gates/judge-gates.ts';
import fc from 'fast-check';

const NOW = '2026-01-09T18:00:00.000Z';
const SINCE = '2026-01-09T12:03:00.000Z';
const MONDAY = '2026-01-12T09:00:00.000Z';
const FAR = '2026-03-02T09:00:00.000Z';
const hold = { by: 'ada', reason: 'Rolled back to 409', since: SINCE };
const everything = { by: 'bob', reason: 'The network is down!', since: SINCE };
const weekend = { reason: 'weekend', until: MONDAY, timezone: 'Europe/London' };

function judge(change: Partial<GateFacts>): Waiting | undefined {
  const open: GateFacts = { kind: 'automatic', stops: [], freezes: [], overridden: [] };
  return judgeGates({ ...open, ...change }, NOW);
}

test.each<[string, Partial<GateFacts>, string | undefined]>([
  ['nothing', {}, undefined],
  ['a hold', { hold }, 'Held by ada since Fri 12:03 UTC: Rolled back to 409.'],
  [
    'a hold with an end',
    { hold: { ...hold, until: FAR } },
    'Held by ada since Fri 12:03 UTC until Mon 2 Mar 2026 09:00 UTC: Rolled back to 409.',
  ],
  ['a hold of what a person asked for', { hold, kind: 'manual' }, undefined],
  ['a hold of a rollback', { hold, kind: 'rollback' }, undefined],
  [
    'a stop',
    { stops: [everything], kind: 'rollback' },
    'Everything is stopped by bob since Fri 12:03 UTC: The network is down!',
  ],
  [
    'a stop of a cluster',
    { stops: [{ ...everything, cluster: 'prod' }] },
    'Cluster prod is stopped by bob since Fri 12:03 UTC: The network is down!',
  ],
  ['a stop that was overridden', { stops: [everything], overridden: ['stop'] }, undefined],
  [
    'a freeze of the calendar',
    { freezes: [weekend], kind: 'manual' },
    'Frozen until Mon 09:00 Europe/London: weekend.',
  ],
  [
    'a freeze that somebody announced, which ends later',
    { freezes: [weekend, { by: 'eve', reason: 'Budget\nday', until: FAR }] },
    'Frozen by eve until Mon 2 Mar 2026 09:00 UTC: Budget day.',
  ],
  ['a freeze that was overridden', { freezes: [weekend], overridden: ['freeze'] }, undefined],
  [
    'an override of another gate',
    { freezes: [weekend], overridden: ['stop'] },
    'Frozen until Mon 09:00 Europe/London: weekend.',
  ],
])('%s', (_what, change, sentence) => {
  expect(judge(change)?.sentence).toBe(sentence);
});

test('what opens by itself says when', () => {
  expect(judge({ hold: { ...hold, until: FAR } })?.until).toBe(FAR);
  expect(judge({ freezes: [weekend] })?.until).toBe(MONDAY);
  expect(judge({ hold })).not.toHaveProperty('until');
});

test('a hold comes before a stop, a stop before a freeze, whatever else is closed', () => {
  const facts = fc.record({
    kind: fc.constantFrom<GateFacts['kind']>('automatic', 'manual', 'rollback'),
    held: fc.boolean(),
    stopped: fc.boolean(),
    frozen: fc.boolean(),
    overridden: fc.subarray<'stop' | 'freeze'>(['stop', 'freeze']),
  });
  fc.assert(
    fc.property(facts, ({ kind, held, stopped, frozen, overridden }) => {
      const waiting = judge({
        ...{ kind, overridden, ...(held ? { hold } : {}) },
        ...{ stops: stopped ? [everything] : [], freezes: frozen ? [weekend] : [] },
      });
      const closed = [
        ...(held && kind === 'automatic' ? ['hold'] : []),
        ...(stopped && !overridden.includes('stop') ? ['stop'] : []),
        ...(frozen && !overridden.includes('freeze') ? ['freeze'] : []),
      ];
      expect(waiting?.reason).toBe(closed[0]);
      expect(waiting?.sentence ?? 'x.').toMatch(/^[^\n]+[.!?]$/);
    }),
  );
});
