import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTimeSkipping, withWorkers } from '../support/temporal.ts';
import { SimulatedLane, stubsOf } from './simulated-lane.ts';

let environment: TestWorkflowEnvironment;
beforeEach(async () => {
  environment = await startTimeSkipping();
});
afterEach(() => environment.teardown());

const workflowInterceptors = [new URL('slow-applies.ts', import.meta.url).pathname];

test('a hundred pushes in a hundred seconds, with applies of thirty, are applied five times at most', async () => {
  const lane = new SimulatedLane(environment, 'hundred');
  await withWorkers(
    environment,
    stubsOf([lane]),
    async () => {
      for (let number = 1; number <= 100; number += 1) {
        await lane.submit({ number, applyMs: 30_000 });
        await environment.sleep('1s');
      }
      await lane.settle(20_000);
    },
    { workflowInterceptors },
  );
  expect(lane.applied.length).toBeLessThanOrEqual(5);
  expect(lane.applied.at(-1)).toBe(100);
  expect(lane.applied).toEqual(lane.applied.toSorted((a, b) => a - b));
  const ends = Array.from({ length: 100 }, (_, at) => lane.ends.get(at + 1));
  const succeeded = ends.filter((end) => end?.phase === 'succeeded');
  const superseded = ends.filter((end) => end?.phase === 'superseded');
  expect(succeeded).toHaveLength(lane.applied.length);
  expect(succeeded.length + superseded.length).toBe(100);
  for (const end of superseded) expect(end?.cause?.sentence).toMatch(/^Release #[0-9]+ /);
});

test('a lane that nobody needs ends, and the next push brings it back', async () => {
  const lane = new SimulatedLane(environment, 'idle');
  const { workflow } = environment.client;
  await withWorkers(
    environment,
    stubsOf([lane]),
    async () => {
      await lane.submit({ number: 1, applyMs: 30_000 });
      await lane.settle(20_000);
      await environment.sleep('11 minutes');
      await workflow.getHandle('lane/notprod/idle').result();
      expect(await lane.submit({ number: 2, applyMs: 30_000 })).toEqual({ answer: 'queued' });
      await lane.settle(20_000);
    },
    { workflowInterceptors },
  );
  expect(lane.applied).toEqual([1, 2]);
});
