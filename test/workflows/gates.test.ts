import { ApplicationFailure, Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readGates } from '../../activities/read-gates.ts';
import { freezesInForce, type FreezeWindow } from '../../src/config/freeze-calendar.ts';
import type {
  ClusterActivities,
  GatesInput,
  OutcomeRecord,
  PhaseRecord,
} from '../../src/contract/workflow/activities.ts';
import { SERVICE_QUEUE } from '../../src/contract/workflow/ids.ts';
import { GATES_CHANGED_SIGNAL } from '../../src/contract/workflow/messages.ts';
import type { DeploymentRequest } from '../../src/contract/workflow/payloads.ts';
import type { DependencyFact } from '../../src/domain/gates/dependency.ts';
import type { GateFacts, Verdict } from '../../src/domain/gates/facts.ts';
import type { deploymentWorkflow } from '../../workflows/deployment.ts';
import { deploymentRequest } from '../support/requests.ts';
import { startTimeSkipping, withWorkers } from '../support/temporal.ts';
import { until } from '../support/until.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

const plan = { digest: 'sha256:ab', services: [{ name: 'api', chart: 'charts/api' }] };
const DAY_MS = 86_400_000;
const hold = { by: 'ada', reason: 'Looking at it', since: '2026-01-01T00:00:00.000Z' };

/** What is closed; a test changes it while the deployment waits. */
interface Gates {
  facts: Omit<GateFacts, 'kind'>;
  calendar: FreezeWindow[];
  verdicts: Verdict[];
  dependencies: DependencyFact[];
  hasWorker: (now: string) => Promise<boolean>;
}

test('a week of freeze costs a second and few events, and ends by itself', async () => {
  // From yesterday until in almost six days, whatever day it is.
  const today = new Date(await environment.currentTimeMs()).getUTCDay();
  const calendar = [
    {
      ...{ cron: `0 0 * * ${(today + 6) % 7}`, until: `0 22 * * ${(today + 5) % 7}` },
      ...{ timezone: 'Europe/London', reason: 'quiet week' },
    },
  ];
  const story = await deploy({ calendar });
  expect(story.end.phase).toBe('succeeded');
  const waits = story.records.filter(({ phase }) => phase === 'waiting');
  expect(waits.map(({ note }) => note)[0]).toMatch(
    /^Frozen until .* Europe\/London: quiet week\.$/,
  );
  expect(story.events).toBeLessThan(500);
});

test('a hold waits until somebody resumes, and the signal opens it at once', async () => {
  const story = await deploy({ facts: { hold } }, {}, async (gates, handle) => {
    delete gates.facts.hold;
    await handle.signal(GATES_CHANGED_SIGNAL);
  });
  expect(story.end.phase).toBe('succeeded');
  expect(story.records[0]).toMatchObject({
    ...{ phase: 'waiting', attempt: 0, waiting: { reason: 'hold' } },
    note: expect.stringContaining('Held by ada since') as string,
  });
  expect(story.phases).toEqual(['waiting', 'planning', 'applying', 'verifying']);
});

test('a lost signal only costs time', async () => {
  const story = await deploy({ facts: { hold } }, {}, (gates) => {
    delete gates.facts.hold;
    return Promise.resolve();
  });
  expect(story.end.phase).toBe('succeeded');
});

test('a worker that is missing for an hour is waited for, by name, and the wait ends by itself', async () => {
  const comes = (await environment.currentTimeMs()) + 3_600_000;
  const story = await deploy({ hasWorker: (now) => Promise.resolve(Date.parse(now) >= comes) });
  expect(story.end.phase).toBe('succeeded');
  expect(story.phases).toEqual(['waiting', 'planning', 'applying', 'verifying']);
  const [waited] = story.records;
  expect(waited).toMatchObject({
    attempt: 0,
    waiting: { reason: 'worker', sentence: waited?.note },
  });
  expect(waited?.note).toMatch(
    /^No worker of cluster notprod has polled slipway-cluster-notprod since \w+ [\d:]+ UTC: start one with "slipway worker --cluster notprod"\.$/,
  );
  expect(story.outcomes[0]).toMatchObject({ attempt: 1 });
  expect(story.events).toBeLessThan(250);
});

test('when the worker comes, the deployment is told and goes on at once', async () => {
  const hasWorker = () => Promise.resolve(false);
  const story = await deploy({ hasWorker }, {}, (gates, handle) => {
    gates.hasWorker = () => Promise.resolve(true);
    return handle.signal(GATES_CHANGED_SIGNAL);
  });
  expect(story.phases).toEqual(['waiting', 'planning', 'applying', 'verifying']);
});

test('a plan waits for its approval, not for the worker that would apply it', async () => {
  const story = await deploy(
    {},
    { approval },
    (gates, handle) => {
      gates.verdicts.push(yes('ada'), yes('bob'));
      return handle.signal(GATES_CHANGED_SIGNAL);
    },
    (gates) => ({
      plan: () => {
        gates.hasWorker = () => Promise.resolve(false);
        return Promise.resolve(plan);
      },
    }),
  );
  expect(story.records.map(({ waiting }) => waiting?.reason)).toContain('approval');
  expect(story.end.phase).toBe('succeeded');
});

test('what a person asked for passes a hold', async () => {
  const story = await deploy({ facts: { hold } }, { kind: 'manual' });
  expect(story.phases).not.toContain('waiting');
});

test('a stop keeps a rollback away too, until it is removed', async () => {
  const stops = [{ by: 'bob', reason: 'Outage', since: hold.since }];
  const story = await deploy({ facts: { stops } }, { kind: 'rollback' }, (gates, handle) => {
    gates.facts.stops = [];
    return handle.signal(GATES_CHANGED_SIGNAL);
  });
  expect(story.phases).toEqual(['waiting', 'planning', 'applying', 'verifying']);
});

test('a hold that comes between two attempts stops the second until it is resumed', async () => {
  let applies = 0;
  const story = await deploy(
    {},
    {},
    (gates, handle) => {
      delete gates.facts.hold;
      return handle.signal(GATES_CHANGED_SIGNAL);
    },
    (gates) => ({
      apply: () => {
        applies += 1;
        if (applies > 1) return Promise.resolve({ durationMs: 1 });
        gates.facts.hold = hold;
        throw ApplicationFailure.nonRetryable('refused', 'cluster-unreachable');
      },
    }),
  );
  expect(story.end.phase).toBe('succeeded');
  const second = ['waiting', 'planning', 'applying', 'verifying'];
  expect(story.phases).toEqual(['planning', 'applying', 'retrying', ...second]);
});

/** A service whose version `2` the other environment has had since then, or has not. */
function follows(soakMs: number, since?: string): DependencyFact {
  const versions = new Map([['api', since === undefined ? '1' : '2']]);
  const endedAt = since ?? hold.since;
  return {
    ...{ environment: 'cs-prod', on: 'notprod/cs-uat', soakMs },
    ...{ declared: new Map([['api', '2']]), changed: ['api'] },
    past: [{ number: 1, releaseNumber: 1, state: 'good', endedAt, versions, failed: [] }],
  };
}

test('what another environment does not run yet is waited for, and it goes on when that is told', async () => {
  const story = await deploy({ dependencies: [follows(0)] }, {}, (gates, handle) => {
    gates.dependencies = [follows(0, hold.since)];
    return handle.signal(GATES_CHANGED_SIGNAL);
  });
  expect(story.phases).toEqual(['waiting', 'planning', 'applying', 'verifying']);
  expect(story.records[0]).toMatchObject({
    ...{ attempt: 0, waiting: { reason: 'dependency' } },
    note: 'cs-prod waits until notprod/cs-uat runs api 2 (there: 1).',
  });
});

test('a soak ends by itself', async () => {
  const since = new Date(await environment.currentTimeMs()).toISOString();
  const story = await deploy({ dependencies: [follows(7_200_000, since)] });
  expect(story.phases).toEqual(['waiting', 'planning', 'applying', 'verifying']);
  expect(story.records[0]?.note).toMatch(
    /^cs-prod waits until \w+ [\d:]+ UTC \(soak of 2h\): notprod\/cs-uat has run api 2 since \w+ [\d:]+ UTC\.$/,
  );
  expect(story.events).toBeLessThan(250);
});

test('a rollback waits for no other environment', async () => {
  const dependencies = [follows(0)];
  const back = await deploy({ dependencies }, { kind: 'rollback' });
  expect(back.phases).not.toContain('waiting');
});

test('what a person let pass waits for no other environment', async () => {
  const story = await deploy({ dependencies: [follows(0)] }, {}, (gates, handle) => {
    gates.facts.overridden = ['dependency'];
    return handle.signal(GATES_CHANGED_SIGNAL);
  });
  expect(story.phases).toEqual(['waiting', 'planning', 'applying', 'verifying']);
});

test('what was begun is brought to its end, though the other environment has moved on', async () => {
  let applies = 0;
  const story = await deploy({}, {}, undefined, (gates) => ({
    apply: () => {
      applies += 1;
      if (applies > 1) return Promise.resolve({ durationMs: 1 });
      gates.dependencies = [follows(0)];
      throw ApplicationFailure.nonRetryable('refused', 'cluster-unreachable');
    },
  }));
  expect(story.end.phase).toBe('succeeded');
  expect(story.phases).not.toContain('waiting');
});

const approval = { count: 2, from: ['release-managers'], expiresMs: 7 * DAY_MS };
const yes = (person: string): Verdict => ({
  ...{ person, groups: ['release-managers'], verdict: 'approved', comment: '' },
});

test('a plan waits for its approvals, is shown while it waits, and goes on with the last one', async () => {
  const story = await deploy({ verdicts: [yes('ada')] }, { approval }, (gates, handle) => {
    gates.verdicts.push(yes('bob'));
    return handle.signal(GATES_CHANGED_SIGNAL);
  });
  expect(story.end.phase).toBe('succeeded');
  expect(story.phases).toEqual(['planning', 'waiting', 'applying', 'verifying']);
  expect(story.records[1]).toMatchObject({
    ...{ attempt: 1, plan, waiting: { reason: 'approval', digest: 'sha256:ab' } },
    note: expect.stringContaining('1 of 2 from release-managers; expires') as string,
  });
});

test('a plan that nobody approves expires after its week', async () => {
  const story = await deploy({ verdicts: [yes('ada')] }, { approval });
  expect(story.end).toMatchObject({ phase: 'cancelled', cause: { code: 'approval-timeout' } });
  expect(story.outcomes[0]).toMatchObject({ phase: 'cancelled', attempt: 1 });
  expect(new Set(story.phases)).toEqual(new Set(['planning', 'waiting']));
  expect(story.events).toBeLessThan(500);
});

test('a rejection ends it with who and why, and nothing is applied', async () => {
  const no: Verdict = { ...yes('eve'), verdict: 'rejected', comment: 'Not on a Friday' };
  const story = await deploy({}, { approval }, (gates, handle) => {
    gates.verdicts.push(no);
    return handle.signal(GATES_CHANGED_SIGNAL);
  });
  expect(story.end).toMatchObject({
    phase: 'cancelled',
    cause: { code: 'approval-rejected', sentence: 'Rejected by eve: Not on a Friday.' },
  });
  expect(story.phases).toEqual(['planning', 'waiting']);
});

test('a plan that changes nothing needs no approval', async () => {
  const nothing = { digest: 'sha256:00', services: [] };
  const story = await deploy({}, { approval }, undefined, () => ({
    plan: () => Promise.resolve(nothing),
  }));
  expect(story.end.phase).toBe('unchanged');
});

test.each([
  ['cancel', [{ by: 'Ada' }], 'cancelled', 'Cancelled by Ada.'],
  [
    'supersede',
    [{ deploymentId: 'newer', kind: 'automatic', releaseNumber: 9, commit: 'b'.repeat(40) }],
    'superseded',
    /^Release #9 .* took its place\.$/,
  ],
])('while it waits, a %s ends it at once', async (signal, args, phase, sentence) => {
  const story = await deploy(
    { facts: { hold } },
    {},
    undefined,
    () => ({}),
    async (handle) => {
      // The timer starts when nothing else is left to do but to wait.
      await until(async () => {
        const { events } = await handle.fetchHistory();
        return events?.some(({ timerStartedEventAttributes: timer }) => timer) ?? false;
      });
      await handle.signal(signal, ...args);
    },
  );
  expect(story.end).toMatchObject({ phase });
  expect(story.end.cause?.sentence).toMatch(sentence);
  expect(story.phases).toEqual(['waiting']);
});

type Handle = { signal: (name: string, ...args: unknown[]) => Promise<void> };

/** Runs a deployment at these gates; `meanwhile` is called once, when it first waits. */
async function deploy(
  start: { facts?: Partial<Gates['facts']> } & Partial<Omit<Gates, 'facts'>>,
  change: Partial<DeploymentRequest> = {},
  meanwhile?: (gates: Gates, handle: Handle) => Promise<void>,
  cluster: (gates: Gates) => Partial<ClusterActivities> = () => ({}),
  onceStarted: (handle: WorkflowHandle) => Promise<void> = () => Promise.resolve(),
) {
  const gates: Gates = {
    ...{ calendar: [], verdicts: [], dependencies: [], hasWorker: () => Promise.resolve(true) },
    ...start,
    facts: { stops: [], freezes: [], overridden: [], ...start.facts },
  };
  const records: PhaseRecord[] = [];
  const outcomes: OutcomeRecord[] = [];
  const workflowId = `deployment/${expect.getState().currentTestName ?? ''}`;
  const handle = environment.client.workflow.getHandle(workflowId);
  let told = false;
  const service = {
    readRecorded: () => Promise.resolve([]),
    readGates: (input: GatesInput) =>
      readGates(
        {
          facts: () => Promise.resolve(gates.facts),
          calendar: ({ now }) => freezesInForce(gates.calendar, now),
          hasWorker: () => gates.hasWorker(input.now),
          approvals: { decide: (_plan, judge) => Promise.resolve(judge(gates.verdicts)) },
          dependencies: () => Promise.resolve(gates.dependencies),
          note: () => Promise.resolve(),
        },
        input,
        Context.current().cancellationSignal,
      ),
    recordPhase: async (record: PhaseRecord) => {
      records.push(record);
      if (record.phase !== 'waiting' || told) return;
      told = true;
      await meanwhile?.(gates, handle);
    },
    recordOutcome: (record: OutcomeRecord) => {
      outcomes.push(record);
      return Promise.resolve();
    },
  };
  const stubs: Partial<ClusterActivities> = {
    checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
    plan: () => Promise.resolve(plan),
    inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
    apply: () => Promise.resolve({ durationMs: 1 }),
    watchRollout: async ({ mode }) => {
      if (mode === 'beside') await untilCancelled();
      return { state: 'healthy', services: [] };
    },
    ...cluster(gates),
  };
  const end = await withWorkers(environment, { cluster: stubs, service }, async () => {
    const started = await environment.client.workflow.start<typeof deploymentWorkflow>(
      'deploymentWorkflow',
      { taskQueue: SERVICE_QUEUE, workflowId, args: [deploymentRequest(change)] },
    );
    await onceStarted(started);
    return started.result();
  });
  const { historyLength: events } = await handle.describe();
  return { end, records, outcomes, events, phases: records.map(({ phase }) => phase) };
}

/** Beats, or the cancel would not arrive. */
async function untilCancelled(): Promise<void> {
  const { cancelled, heartbeat } = Context.current();
  const timer = setInterval(heartbeat, 100);
  await cancelled.catch(() => undefined);
  clearInterval(timer);
}
