import { CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { ClusterDeps } from '../../activities/cluster-deps.ts';
import { ApplyEnds } from '../../activities/apply-ends.ts';
import { createWatchRollout } from '../../activities/watch-rollout.ts';
import type { HelmRelease } from '../../src/adapters/kubernetes/helm-releases.ts';
import type { WatchInput } from '../../src/contract/workflow/activities.ts';
import { SlipwayError } from '../../src/domain/errors.ts';
import type { WorkloadFacts } from '../../src/domain/rollout.ts';
import type { RolloutJudgement } from '../../src/domain/services.ts';
import { activityEnvironment } from '../support/activity-environment.ts';

const DEPLOYMENT = {
  ...{ deploymentId: 'dep_1', repository: 'notprod', environment: 'cs-dev' },
  ...{ commit: 'c'.repeat(40), cluster: 'local', namespace: 'cs-dev' },
};
const AWAY = new SlipwayError('cluster-unreachable', 'the API server is away');
const PULL = { reason: 'ImagePullBackOff', message: 'manifest unknown' };

/** What one look at the cluster finds: a service's Helm release and its workload, or an error. */
type Look = { helm: Partial<HelmRelease>; workload?: Partial<WorkloadFacts> } | SlipwayError;

const WAITING: Look = { helm: { status: 'pending-upgrade' }, workload: { available: 0 } };
const HOPELESS: Look = {
  helm: { status: 'pending-upgrade' },
  workload: { available: 0, pods: [podThatWaits()] },
};
const ROLLING: Look = { helm: {}, workload: { available: 1 } };
const HEALTHY: Look = { helm: {} };

describe.concurrent('beside the apply', () => {
  it('gives up only after two looks in a row without hope', async () => {
    const { judgement, looks } = await watch('beside', [HOPELESS, WAITING, HOPELESS, HOPELESS]);
    expect(looks).toBe(4);
    expect(judgement).toMatchObject({ state: 'failed', cause: { code: 'image-not-found' } });
  });

  it('waits for a cluster that is away, and does not count that as hopeless', async () => {
    const { judgement, looks } = await watch('beside', [HOPELESS, AWAY, HOPELESS, HOPELESS]);
    expect(looks).toBe(4);
    expect(judgement.state).toBe('failed');
  });

  it('never ends because all is well: the apply itself says when it is done', async () => {
    const watching = start('beside', [HEALTHY]);
    await watching.looked(3);
    watching.environment.cancel('CANCELLED');
    const thrown: unknown = await watching.result.catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(CancelledFailure);
    expect(thrown).toBe(watching.environment.context.cancellationSignal.reason);
  });
});

describe.concurrent('beside an apply that ends', () => {
  it('ends too, and judges nothing: what the apply says counts', async () => {
    const watching = start('beside', [WAITING]);
    await watching.looked(2);
    watching.ends.tell(DEPLOYMENT.deploymentId, 1);
    expect(await watching.result).toMatchObject({ state: 'progressing' });
  });

  it('in another attempt, watches on', async () => {
    const watching = start('beside', [WAITING, WAITING, HOPELESS]);
    await watching.looked(2);
    watching.ends.tell(DEPLOYMENT.deploymentId, 2);
    expect(await watching.result).toMatchObject({ state: 'failed' });
  });
});

describe.concurrent('after the apply', () => {
  it('is healthy only when health has held for the whole soak', async () => {
    const looks = [HEALTHY, ROLLING, HEALTHY, HEALTHY, HEALTHY];
    const seen = await watch('after', looks, { soakMs: 1_500 });
    expect(seen.judgement.state).toBe('healthy');
    expect(seen.looks).toBe(5);
  });

  it('says how far it came when the time is up', async () => {
    const { judgement } = await watch('after', [ROLLING], { timeoutMs: 1_500 });
    expect(judgement.state).toBe('progressing');
    expect(judgement.services).toEqual([
      {
        service: 'api',
        state: 'progressing',
        note: 'Deployment/api: 1 of 2 new replicas available',
      },
    ]);
  });

  it('counts the time from when the watch was asked for, not from when a worker took it over', async () => {
    const asked = { scheduledTimestampMs: Date.now() - 60_000 };
    const { looks } = await watch('after', [ROLLING], { timeoutMs: 59_000 }, asked);
    expect(looks).toBe(1);
  });

  it('fails when the revision is not of this deployment, after a second look', async () => {
    const stranger: Look = { helm: { deploymentId: 'dep_2' } };
    const { judgement, looks } = await watch('after', [stranger]);
    expect(looks).toBe(2);
    expect(judgement).toMatchObject({ state: 'failed', cause: { code: 'helm-failed' } });
  });

  it('that cannot look says so: it is asked again by its retry policy', async () => {
    await expect(watch('after', [AWAY])).rejects.toBe(AWAY);
  });
});

describe.concurrent('once', () => {
  it.each([HEALTHY, ROLLING, HOPELESS])('is one look, whatever it finds', async (look) => {
    expect((await watch('once', [look])).looks).toBe(1);
  });
});

it('the log tells each change once', async () => {
  const { log } = await watch('after', [ROLLING, ROLLING, HEALTHY]);
  expect(log).toEqual([
    'api: progressing, Deployment/api: 1 of 2 new replicas available',
    'api: healthy, healthy',
  ]);
});

describe.concurrent('what slept', () => {
  const asleep: Look = {
    helm: {},
    workload: { desired: 0, updated: 0, available: 0, sleep: { originalReplicas: 2 } },
  };

  it('is told to sleep still, and not to the log each time', async () => {
    const { judgement, health, log } = await watch('once', [asleep], {}, undefined, true);
    expect(judgement.services).toMatchObject([{ service: 'api', health: 'asleep' }]);
    expect(health).toEqual(['asleep']);
    expect(log).toEqual([]);
  });

  it('is verified by its revision, whoever made it, and says what is wrong', async () => {
    const helm = { deploymentId: 'dep_9', description: 'slipway rollback dep_9 to 1' };
    const broken = { ...HOPELESS, helm };
    const { judgement } = await watch('after', [broken], {}, undefined, true);
    expect(judgement).toMatchObject({ state: 'failed', cause: { code: 'image-not-found' } });
  });

  it('is left out when somebody deployed it since', async () => {
    const { judgement, health } = await watch(
      'after',
      [{ helm: { helmRevision: 4, status: 'pending-upgrade' } }],
      {},
      undefined,
      true,
    );
    expect(judgement).toEqual({ state: 'healthy', services: [] });
    expect(health).toEqual([]);
  });
});

it('hands in how well the services run, whenever that changed', async () => {
  const { health } = await watch('after', [ROLLING, ROLLING, HEALTHY]);
  expect(health).toEqual(['progressing', 'healthy']);
});

it('what is not healthy when the time is up is degraded', async () => {
  const { health } = await watch('after', [ROLLING], { timeoutMs: 0 });
  expect(health.at(-1)).toBe('degraded');
});

type Policy = Partial<WatchInput['rollout']>;

async function watch(
  mode: WatchInput['mode'],
  looks: readonly Look[],
  policy?: Policy,
  info?: { scheduledTimestampMs: number },
  woken = false,
) {
  const watching = start(mode, looks, policy, info, woken);
  const judgement = await watching.result;
  return { judgement, looks: watching.count(), log: watching.log, health: watching.health };
}

/** Starts a watch over a cluster that shows these looks; the last one stays. */
function start(
  mode: WatchInput['mode'],
  looks: readonly Look[],
  policy: Policy = {},
  info = { scheduledTimestampMs: Date.now() },
  woken = false,
) {
  const environment = activityEnvironment(info);
  const log: string[] = [];
  const health: string[] = [];
  let count = 0;
  const waiters: { at: number; resolve: () => void }[] = [];
  const current = () => {
    const look = looks[Math.min(count, looks.length) - 1];
    if (!look || look instanceof SlipwayError) throw look ?? AWAY;
    return look;
  };
  const cluster = {
    checkNamespace: () => Promise.resolve(),
    helmReleases: () => {
      count += 1;
      for (const { at, resolve } of waiters) if (count >= at) resolve();
      return Promise.resolve().then(() => [helmRelease(current().helm)]);
    },
    workloads: () => Promise.resolve().then(() => [workload(current().workload ?? {})]),
  };
  const deps: Pick<ClusterDeps, 'cluster' | 'health' | 'logs'> = {
    cluster: () => cluster as unknown as ReturnType<ClusterDeps['cluster']>,
    logs: {
      append: ({ lines }) => {
        log.push(...lines);
        return Promise.resolve();
      },
    },
    health: {
      store: ({ services }) => {
        health.push(...services.map(({ state }) => state));
        return Promise.resolve();
      },
    },
  };
  const ends = new ApplyEnds();
  const activity = createWatchRollout(deps as ClusterDeps, ends);
  const result: Promise<RolloutJudgement> = environment.run(activity, {
    deployment: DEPLOYMENT,
    attempt: 1,
    services: [{ name: 'api', chart: 'charts/api', helmRevision: 3 }],
    ...(woken ? { woken } : {}),
    rollout: { timeoutMs: 60_000, soakMs: 0, restartsMax: 5, ...policy },
    mode,
  });
  const looked = (at: number) =>
    new Promise<void>((resolve) => {
      waiters.push({ at, resolve });
    });
  return { environment, result, log, health, looked, ends, count: () => count };
}

function helmRelease(facts: Partial<HelmRelease>): HelmRelease {
  const settled = { status: 'deployed', description: 'Upgrade complete', serverSide: false };
  const ours = { deploymentId: 'dep_1', attempt: 1 };
  const release = { service: 'api', helmRevision: 3, chartVersion: '1.0.0', ...settled, ...ours };
  return { ...release, ...facts } as HelmRelease;
}

function workload(facts: Partial<WorkloadFacts>): WorkloadFacts {
  return {
    ...{ kind: 'Deployment', name: 'api', service: 'api', generation: 2, observedGeneration: 2 },
    ...{ desired: 2, updated: 2, available: 2, old: 0, pods: [] },
    ...facts,
  };
}

function podThatWaits() {
  return {
    name: 'api-1',
    containers: [{ name: 'app', image: 'registry.example/api:9', restarts: 0, waiting: PULL }],
  };
}
