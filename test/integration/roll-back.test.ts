import { afterAll, beforeAll, expect, test } from 'vitest';
import { services, versionedRepository, versions } from '../support/own-services.ts';
import { ReleaseLab, type ReleasedEnvironment } from '../support/released-environment.ts';
import { until } from '../support/until.ts';

let lab: ReleaseLab;
beforeAll(async () => {
  lab = await ReleaseLab.start();
});
afterAll(() => lab.stop());

test('what a failed deployment changed is as it was, and known to be', async () => {
  const environment = await broken('taken-back', { audit: '2', web: '2-missing' });
  const result = await environment.takeBack();
  expect(result.takenBack).toEqual(['audit to revision 1', 'web to revision 1']);
  expect(result.left).toEqual([]);
  expect(await environment.watchTakenBack(result)).toMatchObject({ state: 'healthy' });
  expect(await images(environment)).toEqual({ audit: '1', web: '1' });

  // Asked again it does nothing more, and answers the same.
  expect((await environment.takeBack()).takenBack).toEqual(result.takenBack);
  expect(await revisions(environment)).toEqual({ audit: '3', web: '3' });

  // The failed commit's successor is planned; nothing is taken for a change outside Slipway.
  await environment.push({ 'versions.yaml': versions({ audit: '2', web: '3' }) });
  const { plan, end } = await environment.release();
  expect(plan.services.map(({ name, reason }) => `${name}: ${reason ?? ''}`)).toEqual([
    'audit: input changed',
    'web: input changed',
  ]);
  expect(end.phase).toBe('succeeded');
  expect(await environment.plan()).toMatchObject({ services: [], untouched: [], unchanged: 2 });
});

test('a commit that takes the failed one back in git finds nothing to do', async () => {
  const environment = await broken('reverted', { web: '2-missing' });
  await environment.takeBack();
  await environment.push({ 'versions.yaml': versions({}) });
  const { plan, end } = await environment.release();
  expect(plan).toMatchObject({ services: [], untouched: [], unchanged: 2 });
  expect(end.phase).toBe('unchanged');
});

test('what was not there before stays, and what Helm has forgotten is to be applied again', async () => {
  const change = { web: '2-missing', extra: '1-missing' };
  const environment = await broken('forgotten', change, ['audit', 'extra', 'web']);
  await environment.kubectl('delete', 'secret', 'sh.helm.release.v1.web.v1');
  const { applyAgain, left } = await environment.takeBack();
  expect(applyAgain).toMatchObject([{ service: 'web' }]);
  expect(left).toEqual(['extra: it was not there before']);
  expect(Object.keys(await revisions(environment))).toEqual(['audit', 'extra', 'web']);
});

test('a rollback that is cancelled leaves nothing pending, and goes on when it is asked again', async () => {
  const environment = await broken('interrupted', { web: '2-missing' });
  // Without room for a pod the revision before it cannot become ready, and helm waits.
  await environment.kubectl('create', 'quota', 'full', '--hard=pods=0');
  await environment.kubectl('delete', 'pods', '--all', '--wait=false');
  const cancel = new AbortController();
  const taking = environment.takeBack(cancel.signal).catch((error: unknown) => error);
  await until(async () => (await status(environment, 'web')) === 'pending-rollback');
  cancel.abort();
  expect(await taking).toMatchObject({ name: 'CancelledFailure' });
  expect(await status(environment, 'web')).toBe('failed');
  await environment.kubectl('delete', 'quota', 'full');
  expect((await environment.takeBack()).takenBack).toEqual(['web to revision 1']);
  expect(await images(environment)).toEqual({ audit: '1', web: '1' });
}, 90_000);

/** An environment whose second release failed. */
async function broken(
  name: string,
  changed: Record<string, string>,
  names = ['audit', 'web'],
): Promise<ReleasedEnvironment> {
  const environment = await lab.environment(name, versionedRepository(name, 'timeout: 5, '));
  expect((await environment.release()).end.phase).toBe('succeeded');
  await environment.push({
    'versions.yaml': versions({ extra: '1', ...changed }),
    'services.yaml': services(names),
  });
  expect((await environment.release()).end.phase).toBe('failed');
  return environment;
}

async function images(environment: ReleasedEnvironment): Promise<Record<string, string>> {
  const listed = await environment.kubectl('get', 'deployments', '--output', 'json');
  const { items } = JSON.parse(listed) as {
    items: {
      metadata: { name: string };
      spec: { template: { spec: { containers: { image: string }[] } } };
    }[];
  };
  return Object.fromEntries(
    items.map(({ metadata: { name }, spec }) => {
      const image = spec.template.spec.containers[0]?.image ?? '';
      return [name, image.split(':').at(-1) ?? ''];
    }),
  );
}

async function list(environment: ReleasedEnvironment) {
  // Helm 4 lists all statuses by itself.
  return JSON.parse(await environment.helm('list', '--output', 'json')) as {
    name: string;
    revision: string;
    status: string;
  }[];
}

async function revisions(environment: ReleasedEnvironment): Promise<Record<string, string>> {
  const listed = await list(environment);
  return Object.fromEntries(listed.map(({ name, revision }) => [name, revision]));
}

async function status(environment: ReleasedEnvironment, service: string) {
  return (await list(environment)).find(({ name }) => name === service)?.status;
}
