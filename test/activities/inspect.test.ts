import { expect, test } from 'vitest';
import type { ClusterDeps } from '../../activities/cluster-deps.ts';
import { createInspect } from '../../activities/inspect.ts';
import { formatHolder, type PodIdentity } from '../../src/domain/lease.ts';
import { activityEnvironment } from '../support/activity-environment.ts';

const pod: PodIdentity = { namespace: 'slipway', name: 'worker-2', uid: 'a-uid' };
const holder = formatHolder({
  deploymentId: 'dep_1',
  attempt: 2,
  operation: 'apply',
  process: { host: 'worker-2', place: 'boot-b-1', pid: 11, startedTicks: '600', pod },
});

test('the Lease of a worker whose pod is gone may be taken, once it is silent', async () => {
  const asked: PodIdentity[] = [];
  const result = await inspect({ silentMs: 60_000 }, (one) => {
    asked.push(one);
    return Promise.resolve(true);
  });
  expect(result).toMatchObject({ deadHolder: holder });
  expect(asked).toEqual([pod]);
});

test('a worker whose pod is there, or cannot be seen, is left alone and named', async () => {
  const inspected = inspect({ silentMs: 3_600_000 }, () => Promise.resolve(false));
  await expect(inspected).rejects.toThrow(/process 11 on worker-2, which is silent/);
});

test('a worker that renews its Lease lives, whatever the cluster says of its pod', async () => {
  const inspected = inspect({ silentMs: 0 }, () => Promise.resolve(true));
  await expect(inspected).rejects.toThrow(/is held by the apply of dep_1/);
});

function inspect(
  { silentMs }: { silentMs: number },
  isPodGone: (pod: PodIdentity) => Promise<boolean>,
) {
  const cluster = {
    lease: { look: () => Promise.resolve({ holder, silentMs, durationMs: 60_000 }) },
    isPodGone,
    supersedeOlderRevisions: () => Promise.resolve([]),
    helmReleases: () => Promise.resolve([]),
  };
  const activity = createInspect({
    cluster: () => cluster as unknown as ReturnType<ClusterDeps['cluster']>,
    processes: {
      me: { host: 'worker-1', place: 'boot-a-1', pid: 10, startedTicks: '500' },
      isRunning: () => false,
      endLeftovers: () => Promise.resolve(0),
    },
  } as unknown as ClusterDeps);
  const place = { cluster: 'local', namespace: 'cs-dev', repository: 'r', environment: 'cs-dev' };
  const deployment = { ...place, deploymentId: 'dep_2', commit: 'c'.repeat(40) };
  return activityEnvironment({}).run(activity, { deployment, services: [] });
}
