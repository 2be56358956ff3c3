import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { PhaseRecord } from '../../src/contract/workflow/activities.ts';
import { SERVICE_QUEUE } from '../../src/contract/workflow/ids.ts';
import { GATES_CHANGED_SIGNAL } from '../../src/contract/workflow/messages.ts';
import type { Waiting } from '../../src/domain/gates/facts.ts';
import type { deploymentWorkflow } from '../../workflows/deployment.ts';
import { HEALTHY, PLAN, untilCancelled } from '../support/histories/story.ts';
import { deploymentRequest } from '../support/requests.ts';
import { startDevServer, withWorkers } from '../support/temporal.ts';

const workflowInterceptors = [new URL('hasty-queues.ts', import.meta.url).pathname];

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startDevServer();
});
afterAll(() => environment.teardown());

test('a worker that vanished is said to be missing once its work is not taken, and the next one does it', async () => {
  const { workflow } = environment.client;
  const workflowId = 'deployment/vanished';
  const waiting: Waiting = { reason: 'worker', sentence: 'No worker.' };
  const records: PhaseRecord[] = [];
  let start: () => void = () => undefined;
  const clusterAfter = new Promise<void>((resolve) => (start = resolve));
  let asked = 0;
  const service = {
    readRecorded: () => Promise.resolve([]),
    // At first Temporal still remembers the one that is gone.
    readGates: () =>
      Promise.resolve(
        (asked += 1) === 2 ? ({ answer: 'wait', waiting } as const) : ({ answer: 'open' } as const),
      ),
    recordPhase: async (record: PhaseRecord) => {
      records.push(record);
      if (record.phase !== 'waiting') return;
      start();
      await workflow.getHandle(workflowId).signal(GATES_CHANGED_SIGNAL);
    },
    recordOutcome: () => Promise.resolve(),
  };
  const cluster = {
    checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
    plan: () => Promise.resolve(PLAN),
    inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
    apply: () => Promise.resolve({ durationMs: 1 }),
    watchRollout: async ({ mode }: { mode: string }) => {
      if (mode === 'beside') await untilCancelled();
      return HEALTHY;
    },
  };
  const end = await withWorkers(
    environment,
    { cluster, service },
    () =>
      workflow.execute<typeof deploymentWorkflow>('deploymentWorkflow', {
        taskQueue: SERVICE_QUEUE,
        workflowId,
        args: [deploymentRequest()],
      }),
    { workflowInterceptors, clusterAfter },
  );
  expect(end.phase).toBe('succeeded');
  const phases = ['planning', 'waiting', 'planning', 'applying', 'verifying'];
  expect(records.map(({ phase }) => phase)).toEqual(phases);
  // All of it is one attempt, which goes on where it was.
  expect(new Set(records.map(({ attempt }) => attempt))).toEqual(new Set([1]));
  expect(records[2]?.note).toBe(records[0]?.note);
});
