import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutcomeRecord, ReleasePlace } from '../../src/contract/workflow/activities.ts';
import { SERVICE_QUEUE } from '../../src/contract/workflow/ids.ts';
import {
  CANCEL_RELEASE_SIGNAL,
  DEPLOYMENT_ENDED_SIGNAL,
  type SubmitResult,
} from '../../src/contract/workflow/messages.ts';
import type {
  DeploymentEnd,
  DeploymentRequest,
  ReleaseGraph,
} from '../../src/contract/workflow/payloads.ts';
import type { EndPhase } from '../../src/domain/phases.ts';
import type { releaseWorkflow } from '../../workflows/release.ts';
import { releaseInput, releaseTarget } from '../support/requests.ts';
import { startTimeSkipping, withWorkers } from '../support/temporal.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

const targets = [
  releaseTarget('cs-dev'),
  releaseTarget('wcs-dev', ['cs-dev']),
  releaseTarget('cs-qa', ['wcs-dev']),
];

test('the environments are released one after the other, each once', async () => {
  const story = await release((request) => endLater(request, 'succeeded'));
  expect(story.submitted).toEqual(['cs-dev', 'wcs-dev', 'cs-qa']);
  expect(story.ends).toEqual([
    ['cs-dev', 'succeeded'],
    ['wcs-dev', 'succeeded'],
    ['cs-qa', 'succeeded'],
  ]);
});

test("before its commit is read, Temporal's UI says that it waits for git", async () => {
  const story = await release((request) => endLater(request, 'succeeded'));
  expect(story.detailsAtStart).toBe(
    '**deployments** aaaaaaaa: reading from git what the commit says',
  );
});

test('what comes after a failed environment is skipped, and says which one failed', async () => {
  const story = await release((request) => endLater(request, 'failed'));
  expect(story.submitted).toEqual(['cs-dev']);
  expect(story.recorded).toEqual([
    expect.objectContaining({
      environment: 'wcs-dev',
      phase: 'skipped',
      cause: { code: 'dependency', sentence: 'cs-dev did not succeed.' },
    }),
    expect.objectContaining({
      environment: 'cs-qa',
      phase: 'skipped',
      cause: { code: 'dependency', sentence: 'wcs-dev did not succeed.' },
    }),
  ]);
});

test('a deployment that had ended before is not done again', async () => {
  const story = await release((request) =>
    Promise.resolve({ answer: 'ended', end: endOf(request, 'succeeded') }),
  );
  expect(story.ends.map(([, phase]) => phase)).toEqual(['succeeded', 'succeeded', 'succeeded']);
});

test('a lane that was lost is asked again, and the release goes on', async () => {
  let asked = 0;
  const story = await release((request) => {
    asked += 1;
    // The first two askings are forgotten, as by a lane that was terminated.
    return asked <= 2 ? Promise.resolve({ answer: 'queued' }) : endLater(request, 'succeeded');
  });
  expect(story.submitted).toEqual(['cs-dev', 'cs-dev', 'cs-dev', 'wcs-dev', 'cs-qa']);
  expect(story.ends.map(([, phase]) => phase)).toEqual(['succeeded', 'succeeded', 'succeeded']);
});

test('a cancelled release starts nothing more and records every end', async () => {
  const story = await release(async (request) => {
    const handle = environment.client.workflow.getHandle(request.releaseWorkflowId);
    await handle.signal(CANCEL_RELEASE_SIGNAL, { by: 'Ada' });
    return endLater(request, 'cancelled');
  });
  expect(story.submitted).toEqual(['cs-dev']);
  expect(story.ends.map(([, phase]) => phase).sort()).toEqual([
    'cancelled',
    'cancelled',
    'cancelled',
  ]);
  expect(story.recorded.map(({ cause }) => cause?.sentence)).toEqual([
    'Cancelled by Ada.',
    'Cancelled by Ada.',
  ]);
});

test('of a release one deployment can be cancelled, and what comes after it is skipped', async () => {
  const story = await release(async (request) => {
    const handle = environment.client.workflow.getHandle(request.releaseWorkflowId);
    const { deploymentId } = releaseTarget('wcs-dev');
    await handle.signal(CANCEL_RELEASE_SIGNAL, { by: 'Ada', deploymentId });
    return endLater(request, 'succeeded');
  });
  expect(story.submitted).toEqual(['cs-dev']);
  expect(story.recorded.map(({ phase, cause }) => [phase, cause?.sentence])).toEqual([
    ['cancelled', 'Cancelled by Ada.'],
    ['skipped', 'wcs-dev did not succeed.'],
  ]);
  expect(story.ends[0]).toEqual(['cs-dev', 'succeeded']);
});

test('a commit that cannot be read from git ends the release, with the reason', async () => {
  const cause = { code: 'git-auth' as const, sentence: 'The token expired.' };
  const story = await release(() => Promise.reject(new Error('never asked')), { cause });
  expect(story.submitted).toEqual([]);
  expect(story.ends.map(([, phase]) => phase)).toEqual(['errored', 'errored', 'errored']);
  expect(story.recorded[0]?.cause).toEqual(cause);
});

test('what a commit says of an environment is told when the release starts; a cluster without a worker says nothing', async () => {
  const places = [
    { environment: 'cs-dev', cluster: 'notprod', namespace: 'cs-dev' },
    { environment: 'cs-broken', cluster: 'notprod', namespace: 'cs-broken' },
    { environment: 'cs-prod', cluster: 'nowhere', namespace: 'cs-prod' },
  ];
  const story = await release((request) => endLater(request, 'succeeded'), {}, places);
  expect(story.inputs).toEqual({ 'cs-dev': 'sha256:cs-dev' });
  expect(story.submitted).toEqual(['cs-dev', 'wcs-dev', 'cs-qa']);
});

async function release(
  submitToLane: (request: DeploymentRequest) => Promise<SubmitResult>,
  graph: Partial<ReleaseGraph> = {},
  places: ReleasePlace[] = [],
) {
  const workflowId = `release/${expect.getState().currentTestName ?? ''}`;
  let detailsAtStart = '';
  let inputs: Record<string, string> | undefined;
  const submitted: string[] = [];
  const recorded: OutcomeRecord[] = [];
  const service = {
    listPlaces: () => Promise.resolve(places),
    startRelease: async (input: { inputs?: Record<string, string> }) => {
      ({ inputs } = input);
      ({ currentDetails: detailsAtStart } = await environment.client.workflow
        .getHandle(workflowId)
        .query<{ currentDetails: string }>('__temporal_workflow_metadata'));
      return { title: 'Bump', targets, ...graph };
    },
    submitToLane: (request: DeploymentRequest) => {
      submitted.push(request.environment);
      return submitToLane(request);
    },
    recordOutcome: (record: OutcomeRecord) => {
      recorded.push(record);
      return Promise.resolve();
    },
  };
  const cluster = {
    readInputs: ({ environment: name }: { environment: string }) =>
      name === 'cs-broken'
        ? Promise.reject(ApplicationFailure.nonRetryable('no such value', 'template-error'))
        : Promise.resolve({ inputs: `sha256:${name}` }),
  };
  const ends = await withWorkers(environment, { service, cluster }, () =>
    environment.client.workflow.execute<typeof releaseWorkflow>('releaseWorkflow', {
      taskQueue: SERVICE_QUEUE,
      workflowId,
      args: [releaseInput()],
    }),
  );
  const told = ends.map((end) => [end.environment, end.phase]);
  return { submitted, recorded, inputs, detailsAtStart, ends: told };
}

/** The lane's answer now, and its report to the release afterwards. */
async function endLater(request: DeploymentRequest, phase: EndPhase): Promise<SubmitResult> {
  await environment.client.workflow
    .getHandle(request.releaseWorkflowId)
    .signal(DEPLOYMENT_ENDED_SIGNAL, endOf(request, phase));
  return { answer: 'queued' };
}

function endOf(
  { deploymentId, environment: name }: DeploymentRequest,
  phase: EndPhase,
): DeploymentEnd {
  return { deploymentId, environment: name, phase };
}
