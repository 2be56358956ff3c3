import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { logging } from '../../activities/log-writer.ts';
import type { LogLines } from '../../src/contract/log-sink.ts';

const WHERE = { deploymentId: 'dep_1', attempt: 2, step: 'apply' } as const;

let stored: string[];

beforeEach(() => {
  stored = [];
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => vi.useRealTimers());

it('lines are stored while the step runs, in order and with where they belong', async () => {
  const appended: LogLines[] = [];
  const sink = {
    append: (lines: LogLines) => {
      appended.push(lines);
      return Promise.resolve();
    },
  };
  await logging(sink, WHERE, async (write) => {
    write('one');
    write('two');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(appended).toMatchObject([{ ...WHERE, first: 0, lines: ['one', 'two'] }]);
    write('three');
  });
  expect(appended.slice(1)).toMatchObject([{ ...WHERE, first: 2, lines: ['three'] }]);
  expect(new Set(appended.map(({ stream }) => stream)).size).toBe(1);
});

it('a log that is slow never has two parts under way, and keeps the order', async () => {
  let underWay = 0;
  const sink = sinkThat(async () => {
    underWay += 1;
    expect(underWay).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1_700));
    underWay -= 1;
  });
  const step = logging(sink, WHERE, async (write) => {
    for (let line = 0; line < 20; line += 1) {
      write(`${line}`);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  });
  await vi.advanceTimersByTimeAsync(20_000);
  await step;
  expect(stored).toEqual(Array.from({ length: 20 }, (_, line) => `${line}`));
});

it('the reason of a failed step is its last line, and is thrown on', async () => {
  const error = new Error('no such chart');
  const step = logging(sinkThat(), WHERE, (write) => {
    write('working');
    return Promise.reject(error);
  });
  await expect(step).rejects.toBe(error);
  expect(stored).toEqual(['working', 'no such chart']);
});

it('lines that could not be stored come with the next ones', async () => {
  let failures = 2;
  const sink = sinkThat(() => {
    failures -= 1;
    return failures >= 0 ? Promise.reject(new Error('database away')) : Promise.resolve();
  });
  await logging(sink, WHERE, async (write) => {
    write('one');
    await vi.advanceTimersByTimeAsync(600);
    write('two');
    await vi.advanceTimersByTimeAsync(600);
    expect(stored).toEqual([]);
    await vi.advanceTimersByTimeAsync(600);
    expect(stored).toEqual(['one', 'two']);
  });
});

it('a log that always fails never fails the step', async () => {
  const sink = sinkThat(() => Promise.reject(new Error('database away')));
  const step = logging(sink, WHERE, async (write) => {
    write('one');
    await vi.advanceTimersByTimeAsync(2_000);
    return 'applied';
  });
  expect(await step).toBe('applied');
});

it('a log that hangs holds up the end of the step for ten seconds only', async () => {
  const sink = sinkThat(() => new Promise(() => undefined));
  const step = logging(sink, WHERE, (write) => {
    write('one');
    return Promise.resolve('applied');
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await step).toBe('applied');
});

it('what waits for a log that is away is bounded, and its numbers show the gap', async () => {
  let away = true;
  const firsts: number[] = [];
  const sink = sinkThat(({ first }) => {
    firsts.push(first);
    return away ? Promise.reject(new Error('away')) : Promise.resolve();
  });
  await logging(sink, WHERE, async (write) => {
    for (let line = 0; line < 100_000; line += 1) write(`${line}`);
    await vi.advanceTimersByTimeAsync(600);
    away = false;
  });
  expect(stored).toHaveLength(20_000);
  expect(firsts.at(-1)).toBe(80_000);
  expect(stored.at(-1)).toBe('99999');
});

/** A log that does something before it stores the lines. */
function sinkThat(before: (input: LogLines) => Promise<void> = () => Promise.resolve()) {
  return {
    append: async (input: LogLines) => {
      await before(input);
      stored.push(...input.lines);
    },
  };
}
