import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadWorkflowBundle } from '../../src/adapters/temporal/workflow-bundle.ts';
import type { GatesInput, PhaseRecord } from '../../src/contract/workflow/activities.ts';
import { clusterQueue, SERVICE_QUEUE } from '../../src/contract/workflow/ids.ts';
import { GATES_CHANGED_SIGNAL } from '../../src/contract/workflow/messages.ts';
import type { deploymentWorkflow } from '../../workflows/deployment.ts';
import { copyWorkflows } from '../support/histories/changed-workflows.ts';
import { HEALTHY, PLAN, untilCancelled } from '../support/histories/story.ts';
import { deploymentRequest } from '../support/requests.ts';
import { startDevServer } from '../support/temporal.ts';
import { until } from '../support/until.ts';

/** Two versions of the service at once, as during an upgrade: docs/upgrading.md. */

let environment: TestWorkflowEnvironment;
let copy: Awaited<ReturnType<typeof copyWorkflows>>;
let older: WorkflowBundleOption;
let newer: WorkflowBundleOption;
let clusterWorker: Running;
/** The deployments whose plan nobody has approved yet. */
const unapproved = new Set<string>();
const waiting = new Set<string>();

beforeAll(async () => {
  environment = await startDevServer();
  copy = await copyWorkflows();
  await copy.addPause();
  await copy.patchPause();
  older = await loadWorkflowBundle();
  newer = await copy.loadBundle();
  clusterWorker = await start({
    taskQueue: clusterQueue('notprod'),
    activities: {
      checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
      plan: () => Promise.resolve(PLAN),
      inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
      apply: () => Promise.resolve({ durationMs: 1 }),
      watchRollout: async ({ mode }: { mode: string }) => {
        if (mode === 'beside') await untilCancelled();
        return HEALTHY;
      },
    },
  });
});
afterAll(async () => {
  await clusterWorker.stop();
  await environment.teardown();
  await copy.remove();
});

test('what the old version began ends right beside the new one, and on the new one alone', async () => {
  const old = await startService(older);
  const beside = await deploy('beside');
  const alone = await deploy('alone');
  const young = await startService(newer);
  expect(await beside.approve()).toMatchObject({ phase: 'succeeded' });
  await old.stop();
  expect(await alone.approve()).toMatchObject({ phase: 'succeeded' });
  // They went on in the old way; what begins now takes the new one.
  expect(await alone.has(PATCHED)).toBe(false);
  const fresh = await deploy('fresh');
  expect(await fresh.approve()).toMatchObject({ phase: 'succeeded' });
  expect(await fresh.has(PATCHED)).toBe(true);
  await young.stop();
});

test('what the new version began sticks while only the old one is there, and ends right when it is back', async () => {
  const young = await startService(newer);
  const deployment = await deploy('returned');
  await young.stop();
  const old = await startService(older);
  const ended = deployment.approve();
  await until(() => deployment.has('EVENT_TYPE_WORKFLOW_TASK_FAILED'));
  await old.stop();
  const again = await startService(newer);
  expect(await ended).toMatchObject({ phase: 'succeeded' });
  await again.stop();
  // Temporal asks again at growing intervals.
}, 180_000);

const PATCHED = 'EVENT_TYPE_MARKER_RECORDED';

/** A deployment that waits for the approval of its plan. */
async function deploy(name: string) {
  const deploymentId = `dep_${name}`;
  unapproved.add(deploymentId);
  const handle = await environment.client.workflow.start<typeof deploymentWorkflow>(
    'deploymentWorkflow',
    {
      taskQueue: SERVICE_QUEUE,
      workflowId: `deployment/${name}`,
      args: [deploymentRequest({ deploymentId, approval: { count: 1, from: [] } })],
    },
  );
  const has = async (eventType: string) => {
    const text = historyToJSON(await handle.fetchHistory());
    return text.includes(`"${eventType}"`);
  };
  await until(() => waiting.has(deploymentId));
  return {
    has,
    approve: async () => {
      unapproved.delete(deploymentId);
      await handle.signal(GATES_CHANGED_SIGNAL);
      return handle.result();
    },
  };
}

interface Running {
  stop: () => Promise<void>;
}

/** Each with a connection of its own, as separate processes have. */
async function start(
  options: Omit<Parameters<typeof Worker.create>[0], 'connection'>,
): Promise<Running> {
  const connection = await NativeConnection.connect({ address: environment.address });
  const worker = await Worker.create({
    ...{ connection, maxHeartbeatThrottleInterval: '200ms' },
    ...{ defaultHeartbeatThrottleInterval: '200ms', shutdownGraceTime: '1s' },
    ...options,
  });
  const running = worker.run();
  return {
    stop: async () => {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

function startService(workflowBundle: WorkflowBundleOption): Promise<Running> {
  return start({
    taskQueue: SERVICE_QUEUE,
    workflowBundle,
    activities: {
      readRecorded: () => Promise.resolve([]),
      readGates: ({ deploymentId, approval }: GatesInput) =>
        Promise.resolve(
          approval && unapproved.has(deploymentId)
            ? { answer: 'wait', waiting: { reason: 'approval', sentence: 'Waits.' } }
            : { answer: 'open' },
        ),
      recordPhase: ({ deploymentId, phase }: PhaseRecord) => {
        if (phase === 'waiting') waiting.add(deploymentId);
        return Promise.resolve();
      },
      recordOutcome: () => Promise.resolve(),
    },
  });
}
