import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type {
  ClusterActivities,
  OutcomeRecord,
  PhaseRecord,
  PlanResult,
} from '../../src/contract/workflow/activities.ts';
import { SERVICE_QUEUE } from '../../src/contract/workflow/ids.ts';
import { SUPERSEDE_SIGNAL } from '../../src/contract/workflow/messages.ts';
import type { HelmMark } from '../../src/domain/observe/helm-marks.ts';
import type { deploymentWorkflow } from '../../workflows/deployment.ts';
import { deploymentRequest } from '../support/requests.ts';
import { startTimeSkipping, withWorkers } from '../support/temporal.ts';
import { until } from '../support/until.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

const api = { name: 'api', chart: 'charts/api', reason: 'input changed' };
const change: PlanResult = { digest: 'd', services: [api] };
const nothing: PlanResult = { digest: 'd', services: [] };
const adopted: PlanResult = { ...nothing, adopted: [{ ...api, helmRevision: 5 }] };
const at = (helmRevision: number, status = 'deployed', service = 'api'): HelmMark => ({
  ...{ service, helmRevision, status, manifest: `${service} ${helmRevision}` },
});

test('what the other pipeline deploys as planned is agreed, soon after it stands still', async () => {
  const story = await observe(
    [change, adopted],
    [[at(4)], [at(4)], [at(5, 'pending-upgrade')], [at(5)]],
  );
  expect(story.end).toMatchObject({ phase: 'succeeded' });
  expect(story.outcomes).toMatchObject([
    {
      observation: { verdict: 'agreed', services: [{ service: 'api', result: 'agreed' }] },
      records: [{ name: 'api', end: 'succeeded', helmRevision: 5 }],
    },
  ]);
  expect(story.phases).toEqual(['planning', 'verifying']);
  expect(story.records[1]).toMatchObject({
    note: expect.stringContaining('planned: api') as string,
  });
  // Seen after 3 minutes, and two more that it stood still.
  expect(story.minutes).toBe(5);
});

test('it asks no gate, and its plan needs no approval', async () => {
  const approval = { count: 2, from: [] };
  const story = await observe([change, adopted], [[at(4)], [at(5)]], { approval });
  expect(story.end.phase).toBe('succeeded');
});

test('a plan that nobody carries out is a disagreement after half an hour, and no failure', async () => {
  const story = await observe([change, change], [[at(4)]]);
  expect(story.end).toMatchObject({ phase: 'skipped', cause: { code: 'observed' } });
  expect(story.end.cause?.sentence).toContain('api (planned, but they left it alone)');
  expect(story.minutes).toBe(30);
});

test('while something planned is still to come, what else changed ends nothing', async () => {
  const web = (revision: number) => at(revision, 'deployed', 'web');
  const seen = [[at(4), web(1)], [at(4), web(2)], ...Array<HelmMark[]>(8).fill([at(4), web(2)])];
  const story = await observe([change, change, adopted], [...seen, [at(5), web(2)]]);
  expect(story.outcomes[0]?.observation?.services).toMatchObject([
    { service: 'api', result: 'agreed' },
    { service: 'web', result: 'not-planned' },
  ]);
  expect(story.end.phase).toBe('skipped');
});

test('where nothing is planned and nothing changes, it ends as unchanged', async () => {
  const story = await observe([nothing, nothing], [[at(4)]]);
  expect(story.end).toEqual({
    ...{ deploymentId: 'dep_cs-dev', environment: 'cs-dev', phase: 'unchanged' },
  });
});

test('what goes wrong on the way costs no more than time: the first plan stands', async () => {
  let failures = 1;
  const readReleases = (marks: () => HelmMark[]) => () => {
    if (marks()[0]?.helmRevision === 5 && failures-- > 0) {
      throw ApplicationFailure.nonRetryable('connection refused', 'cluster-unreachable');
    }
    return Promise.resolve(marks());
  };
  const story = await observe([change, adopted], [[at(4)], [at(5)]], {}, readReleases);
  expect(story.end.phase).toBe('succeeded');
  expect(story.outcomes[0]).toMatchObject({ attempt: 2, observation: { verdict: 'agreed' } });
});

test('a newer commit takes its place at once, and nothing is compared', async () => {
  const story = await observe([change], [[at(4)]], {}, undefined, async (workflowId) => {
    const handle = environment.client.workflow.getHandle(workflowId);
    await until(async () => {
      const { events } = await handle.fetchHistory();
      return events?.some(({ timerStartedEventAttributes: timer }) => timer) ?? false;
    });
    const by = {
      deploymentId: 'newer',
      kind: 'automatic',
      releaseNumber: 9,
      commit: 'b'.repeat(40),
    };
    await handle.signal(SUPERSEDE_SIGNAL, by);
  });
  expect(story.end).toMatchObject({ phase: 'superseded' });
  expect(story.outcomes[0]?.observation).toBeUndefined();
});

/** Observes; `plans` and `seen` are answered one after the other, the last again and again. */
async function observe(
  plans: PlanResult[],
  seen: HelmMark[][],
  more: Parameters<typeof deploymentRequest>[0] = {},
  readReleases: (marks: () => HelmMark[]) => ClusterActivities['readReleases'] = (marks) => () =>
    Promise.resolve(marks()),
  onceStarted: (workflowId: string) => Promise<void> = () => Promise.resolve(),
) {
  const records: PhaseRecord[] = [];
  const outcomes: OutcomeRecord[] = [];
  const next = <T>(list: T[]): T => {
    const [first] = list;
    if (first === undefined) throw new Error('nothing is left to answer');
    return (list.length > 1 ? list.shift() : undefined) ?? first;
  };
  const service = {
    readRecorded: () => Promise.resolve([]),
    readGates: () => Promise.reject(ApplicationFailure.nonRetryable('no gate is to be asked')),
    recordPhase: (record: PhaseRecord) => Promise.resolve(void records.push(record)),
    recordOutcome: (record: OutcomeRecord) => Promise.resolve(void outcomes.push(record)),
  };
  // No inspect, apply, restart or rollBack: whoever asked for one would wait in vain.
  const cluster: Partial<ClusterActivities> = {
    checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
    plan: () => Promise.resolve(next(plans)),
    readReleases: readReleases(() => next(seen)),
  };
  const workflowId = `deployment/${expect.getState().currentTestName ?? ''}`;
  const end = await withWorkers(environment, { cluster, service }, async () => {
    const handle = await environment.client.workflow.start<typeof deploymentWorkflow>(
      'deploymentWorkflow',
      {
        ...{ taskQueue: SERVICE_QUEUE, workflowId },
        args: [deploymentRequest({ mode: 'observe', ...more })],
      },
    );
    await onceStarted(workflowId);
    return handle.result();
  });
  const { startTime, closeTime } = await environment.client.workflow
    .getHandle(workflowId)
    .describe();
  const minutes = Math.round(((closeTime?.getTime() ?? 0) - startTime.getTime()) / 60_000);
  return { end, records, outcomes, minutes, phases: records.map(({ phase }) => phase) };
}
