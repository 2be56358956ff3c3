import { expect, it } from 'vitest';
import { sweepInbox } from '../../src/main/sweep-inbox.ts';
import { until } from '../support/until.ts';

it('what was kept long enough is removed at the start, in batches', async () => {
  const left = [500, 500, 3];
  const asked: unknown[] = [];
  const sweeping = sweepInbox({
    inbox: {
      sweep: (batch) => {
        asked.push(batch);
        return Promise.resolve(left.shift() ?? 0);
      },
    },
    keepDays: 7,
    log: { warn: () => undefined },
  });
  await until(() => left.length === 0);
  await sweeping.stop();
  expect(asked).toEqual(Array(3).fill({ keepDays: 7, limit: 500 }));
});
