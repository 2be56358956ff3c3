import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { printedSeed, sized } from '../support/size.ts';
import { startDevServer, withWorkers } from '../support/temporal.ts';
import { SimulatedLane, stubsOf } from './simulated-lane.ts';

// Not the server that skips time: it loses workflow tasks that cancel an activity which ends by itself.
let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startDevServer();
});
afterAll(() => environment.teardown());

/** Of what the model counts in: a pause between pushes, the time of an apply. */
const TICK_MS = 50;
const WORKERS_LIVE_MS = 6_000;
const PUSHES_MAX = sized({ commit: 8, long: 20 });
const LANES = sized({ commit: 4, long: 12 });
const ROUNDS = sized({ commit: 1, long: 30 });

interface Story {
  /** Commits of one branch in the order in which they are announced; the newest has the last number. */
  order: number[];
  pauses: number[];
  applies: number[];
  /** After which announcements the lane is lost. */
  losses: number[];
}

const stories = fc.integer({ min: 1, max: PUSHES_MAX }).chain((count) => {
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  const ticks = (max: number) => fc.array(fc.nat({ max }), { minLength: count, maxLength: count });
  return fc.record<Story>({
    order: fc.shuffledSubarray(numbers, { minLength: count }),
    pauses: ticks(12),
    applies: ticks(30),
    losses: fc.subarray(numbers, { maxLength: Math.min(count, 3) }),
  });
});

test('the head is what runs in the end, whatever is pushed, and whoever is lost or restarted', async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(stories, { minLength: LANES, maxLength: LANES }), async (told) => {
      round += 1;
      const lanes = told.map((_, at) => new SimulatedLane(environment, `model-${round}-${at}`));
      await underWorkersThatRestart(lanes, async () => {
        await Promise.all(told.map((story, at) => tell(story, lanes[at])));
      });
      for (const [at, { order }] of told.entries()) check(order.length, lanes[at]);
    }),
    { numRuns: ROUNDS, seed: printedSeed('lanes', ROUNDS * LANES), endOnFailure: true },
  );
});

async function tell({ order, pauses, applies, losses }: Story, lane?: SimulatedLane) {
  for (const [at, number] of order.entries()) {
    await lane?.submit({ number, applyMs: (applies[at] ?? 0) * TICK_MS });
    if (losses.includes(at)) await lane?.terminate();
    await delay((pauses[at] ?? 0) * TICK_MS);
  }
  await lane?.settle(200);
}

function check(count: number, lane?: SimulatedLane) {
  const { applied = [], ends = new Map<number, unknown>() } = lane ?? {};
  expect(applied.at(-1)).toBe(count);
  expect(applied).toEqual(applied.toSorted((a, b) => a - b));
  expect(ends.size).toBe(count);
  expect(ends.get(count)).toMatchObject({ phase: 'succeeded' });
}

/** Again and again all workers end and new ones begin, which know nothing but the histories. */
async function underWorkersThatRestart(lanes: readonly SimulatedLane[], work: () => Promise<void>) {
  const { pathname } = new URL('slow-applies.ts', import.meta.url);
  const working = work().then(() => 'over');
  let state: unknown;
  while (state !== 'over') {
    const life = () => Promise.race([working, delay(WORKERS_LIVE_MS)]);
    const options = { workflowInterceptors: [pathname] };
    state = await withWorkers(environment, stubsOf(lanes), life, options);
  }
}
