import { ApplicationFailure, Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type {
  ClusterActivities,
  OutcomeRecord,
  PhaseRecord,
} from '../../src/contract/workflow/activities.ts';
import { SERVICE_QUEUE } from '../../src/contract/workflow/ids.ts';
import { CANCEL_SIGNAL, SUPERSEDE_SIGNAL } from '../../src/contract/workflow/messages.ts';
import type { DeploymentRequest } from '../../src/contract/workflow/payloads.ts';
import type { CauseCode } from '../../src/domain/errors.ts';
import type { RolloutJudgement } from '../../src/domain/services.ts';
import type { deploymentWorkflow } from '../../workflows/deployment.ts';
import { deploymentRequest } from '../support/requests.ts';
import { startTimeSkipping, withWorkers } from '../support/temporal.ts';

const workflowInterceptors = [new URL('lost-track.ts', import.meta.url).pathname];

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

const plan = {
  digest: 'digest',
  services: [{ name: 'example-api', chart: 'charts/example-api', chartVersion: '1.0.0' }],
};
const once = { attempts: 1, backoffMs: 1_000, limitMs: 1_000 };
const healthy: RolloutJudgement = {
  state: 'healthy',
  services: [{ service: 'example-api', state: 'healthy', note: 'healthy', helmRevision: 5 }],
};
const missingImage: RolloutJudgement = {
  state: 'failed',
  services: [],
  cause: {
    code: 'image-not-found',
    sentence: 'The image registry.example/api:9 does not exist.',
    service: 'example-api',
    image: 'registry.example/api:9',
  },
};

test('a good release is planned, applied, verified and recorded', async () => {
  const story = await deploy({});
  expect(story.end).toMatchObject({ phase: 'succeeded', environment: 'cs-dev' });
  expect(story.phases).toEqual(['planning', 'applying', 'verifying']);
  expect(story.outcomes).toEqual([
    expect.objectContaining({
      phase: 'succeeded',
      attempt: 1,
      records: [{ ...plan.services[0], end: 'succeeded', helmRevision: 5 }],
    }),
  ]);
  expect(story.records.find(({ phase }) => phase === 'applying')?.plan).toEqual(plan);
});

test('what may pass by itself is tried again after its pause, and then succeeds', async () => {
  let calls = 0;
  const story = await deploy({
    apply: () => {
      calls += 1;
      if (calls < 3) return Promise.reject(failure('cluster-unreachable', 'connection refused'));
      return Promise.resolve({ durationMs: 1 });
    },
  });
  expect(story.end.phase).toBe('succeeded');
  expect(story.outcomes[0]?.attempt).toBe(3);
  const retries = story.records.filter(({ phase }) => phase === 'retrying');
  expect(retries.map(({ cause }) => cause?.code)).toEqual([
    'cluster-unreachable',
    'cluster-unreachable',
  ]);
  expect(retries[0]?.note).toContain('connection refused');
  expect(retries[0]?.retryAt).toBeDefined();
});

test('a cluster that is away is waited for in the same attempt, and the note says so meanwhile', async () => {
  const away = failure(
    'cluster-unreachable',
    'looking for namespace cs-dev: connect ECONNREFUSED 127.0.0.1:1',
  );
  let plans = 0;
  let looks = 0;
  const story = await deploy({
    plan: () => ((plans += 1) < 3 ? Promise.reject(away) : Promise.resolve(plan)),
    watchRollout: async ({ mode }) => {
      if (mode === 'beside') await untilCancelled();
      else if ((looks += 1) < 3) throw away;
      return healthy;
    },
  });
  expect(story.outcomes[0]).toMatchObject({ phase: 'succeeded', attempt: 1 });
  const trouble = 'The API server cannot be reached: connect ECONNREFUSED 127.0.0.1:1.';
  const notes = story.records.filter(({ note }) => note.startsWith(trouble));
  expect(notes.map(({ phase, note }) => [phase, note.slice(trouble.length)])).toEqual([
    ['planning', ' Asked again in 5 s.'],
    ['planning', ' Asked again in 10 s.'],
    ['verifying', ' Asked again in 5 s.'],
    ['verifying', ' Asked again in 10 s.'],
  ]);
});

test('an environment that another one holds is waited for, and the note says who holds it', async () => {
  const holder = 'The environment is held by the apply of dep_9, attempt 1, process 7 on worker-a.';
  let looks = 0;
  const story = await deploy({
    inspect: () => {
      looks += 1;
      // As the real one: tried again by Temporal.
      if (looks < 6) throw ApplicationFailure.create({ type: 'helm-locked', message: holder });
      return Promise.resolve({ deadHolder: '', healed: [] });
    },
  });
  expect(story.outcomes[0]).toMatchObject({ phase: 'succeeded', attempt: 1 });
  const notes = story.records.filter(({ phase }) => phase === 'applying').map(({ note }) => note);
  expect(notes).toEqual([
    'Applying example-api',
    expect.stringContaining(holder),
    'Applying example-api',
  ]);
});

test('while it is verified the note says what is waited for, and until when', async () => {
  const { records } = await deploy({});
  expect(records.find(({ phase }) => phase === 'verifying')?.note).toMatch(
    /^Waiting until Kubernetes runs example-api and keeps it healthy for 30s; given up at \w+ \d\d:\d\d UTC$/,
  );
});

test('when every attempt is used up the deployment is errored, with the last reason', async () => {
  const story = await deploy({
    apply: () => Promise.reject(failure('cluster-unreachable', 'connection refused')),
  });
  expect(story.end).toMatchObject({
    phase: 'errored',
    cause: { code: 'cluster-unreachable', sentence: 'connection refused' },
  });
  expect(story.outcomes[0]?.attempt).toBe(3);
});

test('a template that is wrong is not tried again', async () => {
  const story = await deploy({
    plan: () => Promise.reject(failure('template-error', 'helmfile.yaml.gotmpl:3: bad')),
  });
  expect(story.end).toMatchObject({ phase: 'failed', cause: { code: 'template-error' } });
  expect(story.phases).toEqual(['planning']);
});

test('a definite failure ends the apply early, and the process is gone before the end is told', async () => {
  let applyEnded = false;
  const story = await deploy({
    apply: async () => {
      await untilCancelled();
      applyEnded = true;
      throw Context.current().cancellationSignal.reason as Error;
    },
    watchRollout: ({ mode }) => Promise.resolve(mode === 'beside' ? missingImage : healthy),
  });
  expect(applyEnded).toBe(true);
  expect(story.end).toMatchObject({ phase: 'failed', cause: missingImage.cause });
  expect(story.phases).toEqual(['planning', 'applying']);
});

test('when helm fails by itself, the cluster is asked for a better reason', async () => {
  const story = await deploy({
    apply: () =>
      Promise.reject(failure('helm-failed', 'UPGRADE FAILED: context deadline exceeded')),
    watchRollout: besideUntilCancelled(missingImage),
  });
  expect(story.end).toMatchObject({ phase: 'failed', cause: { code: 'image-not-found' } });
});

test('a release that helm calls done is failed when its workloads are not healthy in time', async () => {
  const late: RolloutJudgement = {
    state: 'progressing',
    services: [{ service: 'example-api', state: 'progressing', note: '0 of 2 available' }],
  };
  const story = await deploy({
    watchRollout: besideUntilCancelled(late),
  });
  expect(story.end).toMatchObject({ phase: 'failed', cause: { code: 'rollout-timeout' } });
  expect(story.end.cause?.sentence).toContain('example-api (0 of 2 available)');
});

test('an orderly shutdown of the worker costs no attempt', async () => {
  let calls = 0;
  const story = await deploy({
    apply: () => {
      calls += 1;
      if (calls <= 5) return Promise.reject(ApplicationFailure.nonRetryable('', 'WorkerShutdown'));
      return Promise.resolve({ durationMs: 1 });
    },
  });
  expect(story.end.phase).toBe('succeeded');
});

const done = { durationMs: 1 };
const failing = { apply: () => Promise.reject(failure('helm-failed', 'UPGRADE FAILED')) };
const returned = {
  takenBack: ['example-api to revision 3'],
  returned: [{ service: 'example-api', to: 3, helmRevision: 5 }],
};

test('where the configuration says so, what a failed deployment changed is taken back', async () => {
  const story = await deploy(
    {
      ...failing,
      watchRollout: async ({ mode, takenBack }) => {
        if (mode === 'beside') await untilCancelled();
        return takenBack ? healthy : missingImage;
      },
      rollBack: () => Promise.resolve(returned),
    },
    { onFailure: 'rollback' },
  );
  expect(story.end).toMatchObject({ phase: 'rolled-back', cause: { code: 'image-not-found' } });
  expect(story.end.cause?.sentence).toContain('Taken back: example-api to revision 3.');
});

test('what was taken back is verified, and recorded with the revision that it got', async () => {
  const story = await deploy(
    {
      ...failing,
      rollBack: () => Promise.resolve(returned),
      watchRollout: async ({ mode, takenBack, services }) => {
        if (mode === 'beside') await untilCancelled();
        if (takenBack) expect(services).toMatchObject([{ name: 'example-api', helmRevision: 5 }]);
        return takenBack ? healthy : missingImage;
      },
    },
    { onFailure: 'rollback' },
  );
  expect(story.end.phase).toBe('rolled-back');
  expect(story.outcomes[0]?.records).toEqual([
    expect.objectContaining({ name: 'example-api', end: 'failed' }),
    { name: 'example-api', chart: '', end: 'taken-back', from: 3, helmRevision: 5 },
  ]);
});

test('what was taken back and does not run is not called rolled back', async () => {
  const story = await deploy(
    {
      ...failing,
      rollBack: () => Promise.resolve(returned),
      watchRollout: besideUntilCancelled(missingImage),
    },
    { onFailure: 'rollback' },
  );
  expect(story.end.phase).toBe('failed');
  expect(story.end.cause?.sentence).toContain('Rolling back failed: The image');
});

test('with the revision gone, the commit of the last success is applied again and verified', async () => {
  const calls: string[] = [];
  const story = await deploy(
    {
      plan: ({ deployment: { commit } }) => {
        calls.push(`plan ${commit}`);
        const other = { name: 'other', chart: 'charts/other' };
        return Promise.resolve({ ...plan, services: [...plan.services, other] });
      },
      apply: ({ deployment: { commit }, plan: { services }, attempt }) => {
        calls.push(`apply ${commit} ${services.map(({ name }) => name).join(' ')} ${attempt}`);
        const isBad = commit !== 'c0';
        return isBad ? Promise.reject(failure('helm-failed', '')) : Promise.resolve(done);
      },
      rollBack: () =>
        Promise.resolve({
          takenBack: [],
          applyAgain: [{ service: 'example-api', commit: 'c0' }],
          left: ['other: it was not there before'],
        }),
      watchRollout: async ({ mode, deployment: { commit } }) => {
        if (mode === 'beside') await untilCancelled();
        return commit === 'c0' ? healthy : missingImage;
      },
    },
    { onFailure: 'rollback', commit: 'c1' },
  );
  expect(calls).toEqual([
    'plan c1',
    'apply c1 example-api other 1',
    'plan c0',
    'apply c0 example-api 2',
  ]);
  expect(story.end.phase).toBe('rolled-back');
  expect(story.end.cause?.sentence).toContain(
    'Taken back: example-api by applying c0 again. Left as it is: other: it was not there before.',
  );
  expect(story.outcomes[0]?.records).toContainEqual({
    ...{ ...plan.services[0], end: 'taken-back', helmRevision: 5 },
  });
});

test('a rollback that is interrupted goes on, after the cluster was looked at again', async () => {
  let inspections = 0;
  let tries = 0;
  const story = await deploy(
    {
      ...failing,
      inspect: () => {
        inspections += 1;
        return Promise.resolve({ deadHolder: `holder ${inspections}`, healed: [] });
      },
      rollBack: ({ deadHolder }) => {
        tries += 1;
        if (tries === 1) return Promise.reject(failure('cluster-unreachable', 'away'));
        return Promise.resolve(deadHolder === 'holder 3' ? returned : { takenBack: [] });
      },
      watchRollout: async ({ mode, takenBack }) => {
        if (mode === 'beside') await untilCancelled();
        return takenBack ? healthy : missingImage;
      },
    },
    { onFailure: 'rollback' },
  );
  expect(story.end.phase).toBe('rolled-back');
});

test('a rollback returns to what ran before the first attempt, not to what that one left', async () => {
  let plans = 0;
  let asked: unknown;
  const [service] = plan.services;
  await deploy(
    {
      ...failing,
      plan: () => {
        plans += 1;
        const services = [{ name: '', chart: '', ...service, helmRevision: 2 + plans }];
        return Promise.resolve({ ...plan, services });
      },
      apply: () =>
        Promise.reject(
          plans === 1 ? failure('cluster-unreachable', 'away') : failure('helm-failed', ''),
        ),
      rollBack: ({ services }) => {
        asked = services;
        return Promise.resolve({ takenBack: [] });
      },
      watchRollout: besideUntilCancelled(missingImage),
    },
    { onFailure: 'rollback' },
  );
  expect(asked).toMatchObject([{ name: 'example-api', helmRevision: 3 }]);
});

test('a rollback that fails says so, and the deployment stays failed', async () => {
  const story = await deploy(
    {
      apply: () => Promise.reject(failure('helm-failed', 'UPGRADE FAILED')),
      watchRollout: besideUntilCancelled(missingImage),
      rollBack: () => Promise.reject(failure('rbac-forbidden', 'secrets is forbidden')),
    },
    { onFailure: 'rollback' },
  );
  expect(story.end).toMatchObject({ phase: 'failed', cause: { code: 'image-not-found' } });
  expect(story.end.cause?.sentence).toContain('Rolling back failed: secrets is forbidden');
});

const restarting = { ...plan, restart: ['deployment/frontend'] };
const crashing: RolloutJudgement = {
  state: 'failed',
  services: [{ service: 'frontend', state: 'failed', note: 'crashes' }],
  cause: { code: 'crash-loop', sentence: 'It crashes.', service: 'frontend' },
};

test('what is to be restarted is restarted when the apply is verified, and then verified itself', async () => {
  const calls: string[] = [];
  const story = await deploy({
    plan: () => Promise.resolve(restarting),
    watchRollout: async ({ mode, restarted }) => {
      if (mode === 'beside') await untilCancelled();
      else calls.push(`watch ${restarted?.join(' ') ?? 'services'}`);
      return healthy;
    },
    restart: ({ workloads, attempt }) => {
      calls.push(`restart ${workloads.join(' ')} in attempt ${attempt}`);
      return Promise.resolve();
    },
  });
  expect(calls).toEqual([
    'watch services',
    'restart deployment/frontend in attempt 1',
    'watch deployment/frontend',
  ]);
  expect(story.end.phase).toBe('succeeded');
  expect(story.records.map(({ note }) => note)).toContain('Restarting deployment/frontend');
  expect(story.outcomes[0]?.records).toMatchObject([{ end: 'succeeded', helmRevision: 5 }]);
});

test('nothing is restarted when nothing was applied, or when it is not healthy', async () => {
  let restarts = 0;
  const restart = () => {
    restarts += 1;
    return Promise.resolve();
  };
  const nothing = { digest: 'digest', services: [] };
  await deploy({ plan: () => Promise.resolve(nothing), restart });
  const bad = besideUntilCancelled(missingImage);
  await deploy({ plan: () => Promise.resolve(restarting), watchRollout: bad, restart });
  expect(restarts).toBe(0);
});

test('a restart that does not come up fails the deployment, and no service counts as succeeded', async () => {
  const story = await deploy({
    plan: () => Promise.resolve(restarting),
    watchRollout: async ({ mode, restarted }) => {
      if (mode === 'beside') await untilCancelled();
      return restarted ? crashing : healthy;
    },
  });
  expect(story.end).toMatchObject({ phase: 'failed', cause: { code: 'crash-loop' } });
  expect(story.outcomes[0]?.records).toEqual([]);
});

test('a workload to restart that is not there fails by name, and the release is not taken back', async () => {
  const story = await deploy(
    {
      plan: () => Promise.resolve(restarting),
      restart: () => Promise.reject(failure('workload-missing', 'Deployment/frontend not found')),
      rollBack: () => Promise.resolve({ takenBack: ['example-api to revision 3'] }),
    },
    { onFailure: 'rollback' },
  );
  expect(story.end).toMatchObject({
    phase: 'failed',
    cause: { code: 'workload-missing', sentence: 'Deployment/frontend not found' },
  });
});

test('cancelled while a restart comes up, it ends there', async () => {
  const story = await deploy({
    plan: () => Promise.resolve(restarting),
    watchRollout: async ({ mode, restarted }) => {
      if (restarted) await cancelByAda();
      if (restarted || mode === 'beside') await untilCancelled();
      if (restarted) throw Context.current().cancellationSignal.reason as Error;
      return healthy;
    },
  });
  expect(story.end.phase).toBe('cancelled');
});

test('cancelled while applying: the process ends first, then the end is recorded with who', async () => {
  let applyEnded = false;
  const story = await deploy({
    apply: async () => {
      await cancelByAda();
      await untilCancelled();
      applyEnded = true;
      throw Context.current().cancellationSignal.reason as Error;
    },
    watchRollout: () => untilCancelled().then(() => healthy),
  });
  expect(applyEnded).toBe(true);
  expect(story.end).toMatchObject({
    phase: 'cancelled',
    cause: { code: 'cancelled', sentence: 'Cancelled by Ada.' },
  });
  expect(story.outcomes.map(({ phase }) => phase)).toEqual(['cancelled']);
});

const pending = 'example-api is pending-upgrade in revision 5; the dep_1 that did it is gone';
const lost = () => Promise.reject(ApplicationFailure.nonRetryable('', 'LostTrack'));

test('a worker that is lost in the last attempt: what it left is healed, and the end says so', async () => {
  const asked: unknown[] = [];
  const story = await deploy(
    {
      apply: lost,
      heal: ({ services, attempt }) => {
        asked.push({ services, attempt });
        return Promise.resolve({ healed: [pending] });
      },
    },
    { retry: { ...once, attempts: 2 } },
  );
  expect(asked).toEqual([{ services: ['example-api'], attempt: 2 }]);
  expect(story.end).toMatchObject({ phase: 'errored', cause: { code: 'worker-lost' } });
  expect(story.end.cause?.sentence).toContain(`Healed afterwards: ${pending}.`);
  expect(story.outcomes).toHaveLength(1);
});

test('what helm brought to its end in an earlier attempt is verified, and not upgraded again', async () => {
  const [service] = plan.services;
  const api = { ...service, name: 'api', chart: 'charts/api', fingerprint: 'same' };
  const web = { ...api, name: 'web', fingerprint: 'other each time' };
  const asked: string[][] = [];
  const story = await deploy({
    plan: () => {
      const changed = { ...web, fingerprint: `attempt ${asked.length + 1}` };
      return Promise.resolve({ ...plan, services: [api, changed] });
    },
    inspect: () => {
      const applied = asked.length === 0 ? [] : [api, web];
      const first = applied.map(({ name }) => ({ service: name, attempt: 1 }));
      return Promise.resolve({ deadHolder: '', healed: [], applied: first });
    },
    apply: ({ plan: { services } }) => {
      asked.push(services.map(({ name }) => name));
      return asked.length === 1 ? lost() : Promise.resolve(done);
    },
  });
  expect(asked).toEqual([['api', 'web'], ['web']]);
  expect(story.end.phase).toBe('succeeded');
  const records = story.outcomes[0]?.records?.map(({ name, end }) => [name, end]);
  expect(records).toEqual([
    ['api', 'succeeded'],
    ['web', 'succeeded'],
  ]);
});

test('a worker that is lost when helm had gone through: the release is verified, and succeeded', async () => {
  const story = await deploy({ apply: lost }, { retry: once });
  expect(story.end.phase).toBe('succeeded');
  expect(story.outcomes[0]?.records).toMatchObject([{ end: 'succeeded', helmRevision: 5 }]);
});

test('a cluster that stays away is the cause of the end, and that nothing could be healed is said', async () => {
  const away = () => Promise.reject(failure('cluster-unreachable', 'connection refused'));
  const story = await deploy({ apply: away, heal: away }, { retry: once });
  expect(story.end).toMatchObject({ phase: 'errored', cause: { code: 'cluster-unreachable' } });
  expect(story.end.cause?.sentence).toContain('the next deployment does: connection refused');
});

test('cancelled while its worker is lost: what that left is healed before the end is told', async () => {
  const order: string[] = [];
  const story = await deploy({
    apply: async () => {
      await cancelByAda();
      await untilCancelled();
      return lost();
    },
    watchRollout: () => untilCancelled().then(() => healthy),
    heal: () => {
      order.push('healed');
      return Promise.resolve({ healed: [pending] });
    },
  });
  order.push(...story.outcomes.map(({ phase }) => phase));
  expect(order).toEqual(['healed', 'cancelled']);
  expect(story.end.cause?.sentence).toBe(`Cancelled by Ada. Healed afterwards: ${pending}.`);
});

test('a cancel that comes too late does not change the truth', async () => {
  const story = await deploy({
    watchRollout: async ({ mode }) => {
      if (mode === 'after') await cancelByAda();
      await untilCancelled();
      return healthy;
    },
  });
  expect(story.end.phase).toBe('succeeded');
  expect(story.outcomes.map(({ phase }) => phase)).toEqual(['succeeded']);
});

test('a newer commit takes its place while it plans, and the plan is ended first', async () => {
  let planEnded = false;
  const story = await deploy({
    plan: async () => {
      await supersedeBy('automatic');
      await untilCancelled();
      planEnded = true;
      throw Context.current().cancellationSignal.reason as Error;
    },
  });
  expect(planEnded).toBe(true);
  expect(story.end).toMatchObject({
    phase: 'superseded',
    cause: { code: 'newer-commit', sentence: 'Release #412 (bbbbbbbb) took its place.' },
  });
});

test('a newer commit takes its place in the pause between attempts, and the failure stays told', async () => {
  let applied = 0;
  const story = await deploy({
    apply: async () => {
      applied += 1;
      await supersedeBy('automatic');
      throw failure('cluster-unreachable', 'connection refused');
    },
  });
  expect(applied).toBe(1);
  expect(story.end).toMatchObject({ phase: 'superseded', cause: { code: 'newer-commit' } });
  expect(story.end.cause?.sentence).toContain('Attempt 1 had failed: connection refused');
});

test('a newer commit waits for a deployment that applies, and for its verification', async () => {
  const story = await deploy({
    apply: async () => {
      await supersedeBy('automatic');
      return { durationMs: 1 };
    },
  });
  expect(story.end.phase).toBe('succeeded');
});

test('where the configuration says so, a newer commit takes its place while it is verified', async () => {
  const story = await deploy(
    {
      watchRollout: async ({ mode }) => {
        if (mode === 'after') await supersedeBy('automatic');
        await untilCancelled();
        throw Context.current().cancellationSignal.reason as Error;
      },
    },
    { overtakeVerifying: true },
  );
  expect(story.end).toMatchObject({ phase: 'superseded', cause: { code: 'newer-commit' } });
  expect(story.end.cause?.sentence).toContain('It was applied, but not verified.');
});

test('what a person asked for does not yield to a newer commit, but to a rollback', async () => {
  const manual = { kind: 'manual' } as const;
  const automatic = await deploy({ plan: () => supersedeBy('automatic').then(() => plan) }, manual);
  expect(automatic.end.phase).toBe('succeeded');
  const rollback = await deploy(
    {
      plan: async () => {
        await supersedeBy('rollback');
        await untilCancelled();
        throw Context.current().cancellationSignal.reason as Error;
      },
    },
    manual,
  );
  expect(rollback.end).toMatchObject({ phase: 'superseded', cause: { code: 'rollback' } });
});

/** Tells the deployment that calls it what is to take its place, as its lane would. */
async function supersedeBy(kind: DeploymentRequest['kind']): Promise<void> {
  const { workflowId } = Context.current().info.workflowExecution ?? { workflowId: '' };
  const by = { deploymentId: 'dep_newer', releaseNumber: 412, commit: 'b'.repeat(40), kind };
  await environment.client.workflow.getHandle(workflowId).signal(SUPERSEDE_SIGNAL, by);
}

/** Cancels the deployment that calls it, as its lane would. */
async function cancelByAda(): Promise<void> {
  const { workflowId } = Context.current().info.workflowExecution ?? { workflowId: '' };
  await environment.client.workflow.getHandle(workflowId).signal(CANCEL_SIGNAL, { by: 'Ada' });
}

async function deploy(
  cluster: Partial<ClusterActivities>,
  change: Partial<DeploymentRequest> = {},
) {
  const records: PhaseRecord[] = [];
  const outcomes: OutcomeRecord[] = [];
  const service = {
    readRecorded: () => Promise.resolve([]),
    recordPhase: (record: PhaseRecord) => {
      records.push(record);
      return Promise.resolve();
    },
    recordOutcome: (record: OutcomeRecord) => {
      outcomes.push(record);
      return Promise.resolve();
    },
  };
  const stubs: ClusterActivities = {
    readInputs: () => Promise.resolve({}),
    checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
    plan: () => Promise.resolve(plan),
    readReleases: () => Promise.resolve([]),
    lookForDrift: () => Promise.reject(new Error('nobody looks for drift here')),
    inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
    heal: () => Promise.resolve({ healed: [] }),
    apply: () => Promise.resolve({ durationMs: 1 }),
    restart: () => Promise.resolve(),
    rollBack: () => Promise.resolve({ takenBack: [] }),
    watchRollout: besideUntilCancelled(healthy),
    ...cluster,
  };
  const end = await withWorkers(
    environment,
    { cluster: stubs, service },
    () =>
      environment.client.workflow.execute<typeof deploymentWorkflow>('deploymentWorkflow', {
        taskQueue: SERVICE_QUEUE,
        workflowId: `deployment/${expect.getState().currentTestName ?? ''}`,
        args: [deploymentRequest(change)],
      }),
    { workflowInterceptors },
  );
  return { end, records, outcomes, phases: records.map(({ phase }) => phase) };
}

/** A watch that sees nothing beside the apply, and then this. */
function besideUntilCancelled(judgement: RolloutJudgement): ClusterActivities['watchRollout'] {
  return async ({ mode }) => {
    if (mode === 'beside') await untilCancelled();
    return judgement;
  };
}

function failure(type: CauseCode, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

/** Resolves when the activity is cancelled; beats, or the cancel would not arrive. */
function untilCancelled(): Promise<void> {
  const { cancellationSignal, heartbeat } = Context.current();
  const timer = setInterval(heartbeat, 100);
  return new Promise((resolve) => {
    cancellationSignal.addEventListener(
      'abort',
      () => {
        clearInterval(timer);
        resolve();
      },
      { once: true },
    );
  });
}
