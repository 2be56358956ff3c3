import { ApplicationFailure, Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutcomeRecord, WatchInput } from '../../src/contract/workflow/activities.ts';
import { SERVICE_QUEUE, wakeWorkflowId } from '../../src/contract/workflow/ids.ts';
import type { DeploymentRef } from '../../src/contract/workflow/payloads.ts';
import type { RecordedService } from '../../src/domain/plan/plan-services.ts';
import type { RolloutJudgement } from '../../src/domain/services.ts';
import type { deploymentWorkflow } from '../../workflows/deployment.ts';
import type { wakeWorkflow } from '../../workflows/wake.ts';
import { untilCancelled } from '../support/histories/story.ts';
import { deploymentRequest } from '../support/requests.ts';
import { startTimeSkipping, withWorkers } from '../support/temporal.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

const MINUTE_MS = 60_000;

type Seen = 'asleep' | 'healthy' | 'failed' | 'progressing' | 'away';

test('a deployment that succeeded asleep is verified again when it wakes, and stays as it ended', async () => {
  // Looked at every five minutes, and left alone until it is awake.
  const night = Array.from({ length: 24 }, (): Seen => 'asleep');
  const story = await deployed([...night, 'progressing'], ['healthy']);
  expect(story.looked).toHaveLength(25);
  expect(story.lastLookMs).toBeGreaterThanOrEqual(24 * 5 * MINUTE_MS);
  expect(story.verified).toMatchObject([
    { services: [{ name: 'api', helmRevision: 5 }], woken: true, mode: 'after' },
  ]);
  expect(story.outcomes).toMatchObject([{ phase: 'succeeded' }]);
});

test('what wakes broken is verified again until it is well', async () => {
  const story = await woken(['asleep', 'failed', 'healthy'], ['failed', 'healthy']);
  expect(story.verified).toHaveLength(2);
});

test('a cluster that is away in between, or asleep again, only costs time', async () => {
  const story = await woken(['away', 'progressing', 'asleep', 'healthy'], ['asleep', 'healthy']);
  expect(story.verified).toHaveLength(2);
});

test('it ends when a later deployment has changed what slept', async () => {
  const story = await woken(['asleep'], [], {
    recorded: (asked) => (asked > 1 ? { deploymentId: 'dep_later' } : {}),
  });
  expect(story.looked).toHaveLength(1);
  expect(story.verified).toEqual([]);
});

test('what never wakes is given up', async () => {
  const story = await woken(['asleep'], [], { limitMs: 60 * MINUTE_MS });
  expect(story.looked.length).toBeLessThanOrEqual(12);
  expect(story.verified).toEqual([]);
});

interface Change {
  limitMs?: number;
  /** What is remembered of the service, each time that it is asked for. */
  recorded?: (asked: number) => Partial<RecordedService>;
}

/** Runs a wake whose looks find this, one after the other; the last one stays. */
async function woken(looks: readonly Seen[], verified: readonly Seen[], change: Change = {}) {
  const { cluster, repository, commit, rollout, namespace } = deploymentRequest();
  const deploymentId = `dep_${expect.getState().currentTestName ?? ''}`;
  const place = { repository, environment: 'cs-dev', cluster, namespace };
  const deployment = { deploymentId, ...place, commit };
  const neighbours = neighboursOf(deployment, looks, verified, change);
  const limitMs = change.limitMs ?? 24 * 60 * MINUTE_MS;
  const until = new Date((await environment.currentTimeMs()) + limitMs).toISOString();
  await withWorkers(environment, neighbours.stubs, () =>
    environment.client.workflow.execute<typeof wakeWorkflow>('wakeWorkflow', {
      taskQueue: SERVICE_QUEUE,
      workflowId: wakeWorkflowId(deployment),
      args: [{ deployment, attempt: 1, services: ['api'], rollout, until }],
    }),
  );
  return neighbours;
}

/** The same for a deployment that ends well while its service sleeps. */
async function deployed(looks: readonly Seen[], verified: readonly Seen[]) {
  const request = deploymentRequest({ deploymentId: 'dep_asleep' });
  const neighbours = neighboursOf(request, looks, verified, {});
  // The test server's clock stands still for others once a workflow was left by its parent.
  const own = await startTimeSkipping();
  const began = await own.currentTimeMs();
  await withWorkers(own, neighbours.stubs, async () => {
    const end = await own.client.workflow.execute<typeof deploymentWorkflow>('deploymentWorkflow', {
      taskQueue: SERVICE_QUEUE,
      workflowId: 'deployment/asleep',
      args: [request],
    });
    expect(end.phase).toBe('succeeded');
    await own.client.workflow.getHandle(wakeWorkflowId(request)).result();
  });
  await own.teardown();
  return { ...neighbours, lastLookMs: neighbours.lookedAtMs() - began };
}

function neighboursOf(
  { deploymentId }: Pick<DeploymentRef, 'deploymentId'>,
  looks: readonly Seen[],
  answers: readonly Seen[],
  { recorded = () => ({}) }: Change,
) {
  const looked: WatchInput[] = [];
  const verified: WatchInput[] = [];
  const outcomes: OutcomeRecord[] = [];
  let asked = 0;
  let lookedAtMs = 0;
  const service = {
    readRecorded: (): Promise<RecordedService[]> => {
      const change = recorded((asked += 1));
      const known = { name: 'api', lastEnd: 'succeeded' as const, helmRevision: 5 };
      return Promise.resolve([{ ...known, deploymentId, ...change }]);
    },
    recordPhase: () => Promise.resolve(),
    recordOutcome: (record: OutcomeRecord) => {
      outcomes.push(record);
      return Promise.resolve();
    },
  };
  const services = [{ name: 'api', chart: 'charts/api' }];
  const cluster = {
    checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
    plan: () => Promise.resolve({ digest: '', services }),
    inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
    apply: () => Promise.resolve({ durationMs: 1 }),
    watchRollout: async (input: WatchInput) => {
      if (input.mode === 'beside') await untilCancelled();
      if (!input.woken) return judgement('asleep');
      const [list, given] = input.mode === 'once' ? [looked, looks] : [verified, answers];
      list.push(input);
      lookedAtMs = Context.current().info.currentAttemptScheduledTimestampMs;
      const seen = given[Math.min(list.length, given.length) - 1];
      if (!seen || seen === 'away') {
        throw ApplicationFailure.nonRetryable('away', 'cluster-unreachable');
      }
      return judgement(seen);
    },
  };
  const stubs = { service, cluster };
  return { stubs, looked, verified, outcomes, lookedAtMs: () => lookedAtMs };
}

function judgement(seen: Exclude<Seen, 'away'>): RolloutJudgement {
  const state = seen === 'asleep' ? 'healthy' : seen;
  const health = seen === 'asleep' ? { health: 'asleep' as const } : {};
  return { state, services: [{ service: 'api', state, note: seen, helmRevision: 5, ...health }] };
}
