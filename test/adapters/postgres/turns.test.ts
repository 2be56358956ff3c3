import { expect, test } from 'vitest';
import { createTurns } from '../../../src/adapters/postgres/turns.ts';

const MINUTE = 60_000;

test('works with one key are done one after the other, in the order in which they came', async () => {
  const inTurn = createTurns(MINUTE);
  const told: string[] = [];
  const work = (name: string) => async () => {
    told.push(`${name} begins`);
    await Promise.resolve();
    told.push(`${name} ends`);
  };
  await Promise.all(['a', 'b', 'c'].map((name) => inTurn('one', work(name))));
  expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('one that fails passes the turn on, and other keys wait for nobody', async () => {
  const inTurn = createTurns(MINUTE);
  let fail: (error: Error) => void = () => undefined;
  const failing = inTurn('one', () => new Promise<void>((_, reject) => (fail = reject)));
  const next = inTurn('one', () => Promise.resolve('done'));
  expect(await inTurn('another', () => Promise.resolve('done'))).toBe('done');
  fail(new Error('away'));
  await expect(failing).rejects.toThrow('away');
  expect(await next).toBe('done');
});

test('who waits too long is told to come again, and its work is never done', async () => {
  const inTurn = createTurns(1);
  let end: () => void = () => undefined;
  const long = inTurn('one', () => new Promise<void>((resolve) => (end = resolve)));
  const late: string[] = [];
  const refused = inTurn('one', () => Promise.resolve(late.push('refused')));
  await expect(refused).rejects.toMatchObject({ code: 'unavailable' });
  end();
  await long;
  await inTurn('one', () => Promise.resolve(late.push('after')));
  expect(late).toEqual(['after']);
});
