import { expect, test } from 'vitest';
import type { ClusterDeps } from '../../activities/cluster-deps.ts';
import { createHeal, createInspect } from '../../activities/inspect.ts';
import { formatHolder, type PodIdentity } from '../../src/domain/lease.ts';
import { activityEnvironment } from '../support/activity-environment.ts';

const pod: PodIdentity = { namespace: 'slipway', name: 'worker-2', uid: 'a-uid' };
const holder = formatHolder({
  deploymentId: 'dep_1',
  attempt: 2,
  operation: 'apply',
  process: { host: 'worker-2', place: 'boot-b-1', pid: 11, startedTicks: '600', pod },
});

const place = { cluster: 'local', namespace: 'cs-dev', repository: 'r', environment: 'cs-dev' };
const deployment = { ...place, deploymentId: 'dep_2', commit: 'c'.repeat(40) };

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

test('after the last attempt, what the dead one left is healed under its Lease, which is given back', async () => {
  const done: string[] = [];
  const release = { service: 'api', helmRevision: 4, status: 'uninstalling', description: '' };
  const cluster = {
    lease: {
      look: () => Promise.resolve({ holder, silentMs: 60_000, durationMs: 60_000 }),
      hold: async (_me: string, mayTake: string, signal: AbortSignal, work: Work) => {
        done.push(mayTake === holder ? 'taken from the dead' : mayTake);
        const result = await work(signal);
        done.push('given back');
        return result;
      },
    },
    isPodGone: () => Promise.resolve(true),
    supersedeOlderRevisions: () => Promise.resolve([]),
    helmReleases: () => Promise.resolve([{ ...release, chartVersion: '', ageMs: 0 }]),
    markHelmRevisionFailed: () => {
      done.push('marked');
      return Promise.resolve();
    },
  };
  const input = { deployment, attempt: 3, services: ['api'] };
  const result = await activityEnvironment({}).run(createHeal(depsOf(cluster)), input);
  expect(done).toEqual(['taken from the dead', 'marked', 'given back']);
  expect(result).toMatchObject({
    healed: ['api is uninstalling in revision 4; the apply that did it is gone'],
  });
});

type Work = (signal: AbortSignal) => Promise<unknown>;

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
  return activityEnvironment({}).run(createInspect(depsOf(cluster)), { deployment, services: [] });
}

function depsOf(cluster: object): ClusterDeps {
  return {
    cluster: () => cluster,
    processes: {
      me: { host: 'worker-1', place: 'boot-a-1', pid: 10, startedTicks: '500' },
      isRunning: () => false,
      endLeftovers: () => Promise.resolve(0),
    },
  } as unknown as ClusterDeps;
}
