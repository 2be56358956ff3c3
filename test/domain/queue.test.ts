import { expect, test } from 'vitest';
import { judgeQueue, type Queueing } from '../../src/domain/queue.ts';

const NOW = '2026-01-09T18:00:00.000Z';
const AFTER = new Map([['wcs-qa', ['cs-qa']]]);

let made = 0;
function deployment(change: Partial<Queueing> = {}): Queueing {
  made += 1;
  return {
    ...{ id: `dep_${made}`, number: made, releaseId: `rel_${made}`, releaseNumber: made, run: 0 },
    ...{ environment: 'cs-qa', kind: 'automatic', phase: 'queued', note: '', startedAt: null },
    ...change,
  };
}

function standing(me: Queueing, members: readonly Queueing[], siblings: readonly Queueing[] = []) {
  const lane = { name: 'notprod/cs-qa', members };
  const runs = [...members, ...siblings];
  return judgeQueue(me, lane, runs, (name) => AFTER.get(name) ?? [], NOW);
}

test('what is alone is next', () => {
  const me = deployment();
  expect(standing(me, [me])).toEqual({
    ...{ place: 1, behind: [], sentence: 'First in lane notprod/cs-qa.' },
  });
});

test('it is behind what runs, and says since when that does', () => {
  const running = deployment({
    ...{ number: 12, releaseNumber: 4, phase: 'applying', startedAt: '2026-01-09T17:58:00.000Z' },
  });
  const me = deployment();
  expect(standing(me, [running, me])).toEqual({
    place: 2,
    behind: [running],
    sentence:
      'Second in lane notprod/cs-qa, after deployment 12 of release #4 (applying, began Fri 17:58 UTC).',
  });
});

test('behind what waits itself it says for what that waits', () => {
  const note = 'Waiting for approval: 1 of 2 from release-managers.';
  const waits = deployment({ number: 12, releaseNumber: 4, phase: 'waiting', note });
  const me = deployment();
  expect(standing(me, [me, waits]).sentence).toBe(
    'Second in lane notprod/cs-qa, after deployment 12 of release #4 ' +
      '(waiting: Waiting for approval: 1 of 2 from release-managers).',
  );
});

test('a rollback goes before what people asked for, and that before merges', () => {
  const merge = deployment();
  const manual = deployment({ kind: 'manual' });
  const later = deployment({ kind: 'manual' });
  const rollback = deployment({ kind: 'rollback' });
  const running = deployment({ phase: 'verifying' });
  const all = [merge, manual, later, rollback, running];
  const order = [running, rollback, manual, later, merge];
  for (const [at, me] of order.entries()) {
    if (me === running) continue;
    expect(standing(me, all)).toMatchObject({ place: at + 1, behind: order.slice(0, at) });
  }
});

test('it waits for the environments before its own, and is in no lane until then', () => {
  const run = { releaseId: 'rel_7', releaseNumber: 7 };
  const me = deployment({ ...run, environment: 'wcs-qa' });
  const first = deployment({
    ...{ ...run, number: 30, phase: 'verifying', startedAt: '2026-01-09T17:00:00.000Z' },
  });
  const other = deployment({ environment: 'wcs-qa' });
  expect(standing(me, [me, other], [first])).toEqual({
    place: 0,
    behind: [first],
    sentence:
      'Waits its turn after cs-qa, deployment 30 of release #7 (verifying, began Fri 17:00 UTC).',
  });
  // Whoever is in the lane does not wait for who is not.
  expect(standing(other, [me, other], [first])).toMatchObject({ place: 1, behind: [] });
  const done = { ...first, phase: 'succeeded' } as const;
  expect(standing(me, [me], [done])).toMatchObject({ place: 1 });
  const elsewhere = { ...first, run: 1 };
  expect(standing(me, [me], [elsewhere])).toMatchObject({ place: 1 });
});

test('why the lane cannot put its queue in order is what it says', () => {
  const me = deployment({ note: 'Waits to be put in order: git is away.' });
  expect(standing(me, [me])).toMatchObject({
    ...{ place: 1, sentence: 'Waits to be put in order: git is away.' },
  });
});
