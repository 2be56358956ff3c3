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
  const { end, records } = await deployWithout('vanished');
  expect(end.phase).toBe('succeeded');
  const phases = ['planning', 'waiting', 'planning', 'applying', 'verifying'];
  expect(records.map(({ phase }) => phase)).toEqual(phases);
  // All of it is one attempt, which goes on where it was.
  expect(new Set(records.map(({ attempt }) => attempt))).toEqual(new Set([1]));
  expect(records[2]?.note).toBe(records[0]?.note);
});

test('workers that are there and take nothing are said to be busy', async () => {
  const { end, records } = await deployWithout('busy');
  expect(end.phase).toBe('succeeded');
  expect(records[1]).toMatchObject({ phase: 'planning', attempt: 1 });
  expect(records[1]?.note).toMatch(
    /^Reading what .*\. The workers of cluster notprod are busy, or just went away: asked again at .* UTC$/,
  );
});

/** Deploys; a worker of the cluster comes when the deployment has said that none takes its work. */
async function deployWithout(why: 'vanished' | 'busy') {
  const { workflow } = environment.client;
  const workflowId = `deployment/${why}`;
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
        (asked += 1) === 2 && why === 'vanished'
          ? ({ answer: 'wait', waiting } as const)
          : ({ answer: 'open' } as const),
      ),
    recordPhase: async (record: PhaseRecord) => {
      records.push(record);
      if (records.length === 2) start();
      if (record.phase === 'waiting')
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
  return { end, records };
}
