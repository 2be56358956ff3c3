import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlanResult } from '../../src/contract/workflow/activities.ts';
import { repository, services, versions } from '../support/own-services.ts';
import { ReleaseLab, type ReleasedEnvironment } from '../support/released-environment.ts';

let lab: ReleaseLab;
beforeAll(async () => {
  lab = await ReleaseLab.start();
});
afterAll(() => lab.stop());

describe('an environment that another pipeline deployed before', () => {
  let environment: ReleasedEnvironment;
  beforeAll(async () => {
    environment = await lab.environment('adopted', repository('adopted', ['api', 'audit', 'web']));
    await environment.helmfile('sync');
  });

  test('is taken over without an upgrade', async () => {
    const { plan, end } = await environment.release();
    expect(end).toEqual({ phase: 'unchanged' });
    expect(plan.services).toEqual([]);
    expect(plan.adopted?.map(({ name }) => name)).toEqual(['api', 'audit', 'web']);
    expect(await revisions(environment)).toEqual({ api: '1', audit: '1', web: '1' });
  });

  test('is then unchanged, and nothing is rendered', async () => {
    const plan = await environment.plan();
    expect(plan).toMatchObject({ services: [], adopted: [], untouched: [], unchanged: 3 });
  });

  test('a bump plans, applies and touches its one service', async () => {
    const inputs = await environment.inputs();
    await environment.push({ 'versions.yaml': versions({ api: '2' }) });
    expect(await environment.inputs()).not.toBe(inputs);
    const { plan, end } = await environment.release();
    expect(actions(plan)).toEqual({ api: 'upgrade: input changed' });
    expect(end).toEqual({ phase: 'succeeded' });
    expect(await revisions(environment)).toEqual({ api: '2', audit: '1', web: '1' });
    expect(await environment.plan()).toMatchObject({ services: [], unchanged: 3 });
  });

  test('a comment in a values file is recorded without an upgrade', async () => {
    await environment.push({ 'values/web.yaml': '# Nobody reads this.\nreplicas: 1\n' });
    const { plan, end } = await environment.release();
    expect(end.phase).toBe('unchanged');
    expect(plan.adopted?.map(({ name }) => name)).toEqual(['web']);
  });

  test('`no` in the place of "no" is seen, though helmfile reads them alike', async () => {
    await environment.push({ 'values/web.yaml': 'replicas: 1\nflag: "no"\n' });
    expect((await environment.release()).end.phase).toBe('succeeded');
    await environment.push({ 'values/web.yaml': 'replicas: 1\nflag: no\n' });
    expect(actions(await environment.plan())).toEqual({ web: 'upgrade: input changed' });
    expect((await environment.release()).end.phase).toBe('succeeded');
  });

  test('a change by hand is reported, and joins the next change', async () => {
    const chart = join(environment.content, 'chart');
    await environment.helm('upgrade', 'audit', chart, '--reuse-values', '--set', 'flag=hand');
    const held = await environment.release();
    expect(held.end.phase).toBe('unchanged');
    expect(held.plan.untouched).toMatchObject([{ name: 'audit', state: 'held' }]);
    await environment.push({ 'versions.yaml': versions({ api: '3' }) });
    const { plan, end } = await environment.release();
    expect(Object.keys(actions(plan))).toEqual(['api', 'audit']);
    expect(end.phase).toBe('succeeded');
  });

  test('a rollback by hand is no success of ours', async () => {
    await environment.helm('rollback', 'api', '1');
    const { untouched } = await environment.plan();
    expect(untouched).toMatchObject([{ name: 'api', state: 'held' }]);
    expect(actions(await environment.plan({ manual: true }))).toMatchObject({
      api: expect.stringContaining('changed outside Slipway') as string,
    });
    expect((await environment.release({ manual: true })).end.phase).toBe('succeeded');
  });

  test('`installed: false` is a planned uninstall', async () => {
    await environment.push({ 'services.yaml': services(['api', 'audit', 'web'], { web: false }) });
    const { plan, end } = await environment.release();
    expect(actions(plan)).toEqual({ web: 'uninstall: uninstall: installed: false' });
    expect(end.phase).toBe('succeeded');
    expect(Object.keys(await revisions(environment))).toEqual(['api', 'audit']);
  });

  test('what is no longer declared is reported, and left alone', async () => {
    await environment.push({ 'services.yaml': services(['api']) });
    const { plan, end } = await environment.release();
    expect(end.phase).toBe('unchanged');
    expect(plan.untouched).toMatchObject([{ name: 'audit', state: 'orphaned' }]);
    expect(Object.keys(await revisions(environment))).toEqual(['api', 'audit']);
  });
});

describe('a service that fails', () => {
  const broken = { 'versions.yaml': versions({ audit: '2-missing' }) };

  test.each([
    ['as helmfile #1411 has it', 'failing', ''],
    ['and that helm takes back by itself', 'atomic', 'atomic: true, '],
  ])('%s, is never green before it runs', async (_title, name, defaults) => {
    const files = repository(name, ['audit', 'web'], `${defaults}timeout: 5, `);
    const environment = await lab.environment(name, files);
    expect((await environment.release()).end.phase).toBe('succeeded');
    await environment.push(broken);
    expect((await environment.release()).end.phase).toBe('failed');

    // A merge that has nothing to do with it: shown as failed, not tried, and not green.
    await environment.push({ 'values/web.yaml': 'replicas: 1\nflag: other\n' });
    const unrelated = await environment.release();
    expect(Object.keys(actions(unrelated.plan))).toEqual(['web']);
    expect(unrelated.plan.untouched).toMatchObject([{ name: 'audit', state: 'blocked' }]);

    // A person asks again: it is tried, though nothing differs any more, and fails again.
    const rerun = await environment.release({ manual: true });
    expect(actions(rerun.plan)).toMatchObject({ audit: 'upgrade: last attempt failed' });
    expect(rerun.end.phase).toBe('failed');

    await environment.push({ 'versions.yaml': versions({ audit: '3' }) });
    expect((await environment.release()).end.phase).toBe('succeeded');
    expect(await environment.plan()).toMatchObject({ services: [], unchanged: 2 });
  });
});

describe('a chart that moved within its range', () => {
  test('is reported, joins the next release, and is known by its digest too', async () => {
    const environment = await lab.environment('ranges', repository('ranges', ['api', 'audit']));
    await environment.release();
    const inputs = await environment.inputs();
    await lab.publishCharts('1.3.0', 8083);
    await environment.forgetIndexes();
    // For a merge that says nothing new the environment stays untouched.
    await environment.push({ 'README.md': 'Nobody evaluates this.\n' });
    expect(await environment.inputs()).toBe(inputs);
    const held = await environment.release();
    expect(held.end.phase).toBe('unchanged');
    expect(held.plan.untouched).toEqual([
      { name: 'api', state: 'held', note: 'chart moved 1.2.0 → 1.3.0' },
    ]);
    await environment.push({ 'versions.yaml': versions({ audit: '2' }) });
    const { plan, end } = await environment.release();
    expect(actions(plan)).toEqual({
      api: 'upgrade: chart moved 1.2.0 → 1.3.0',
      audit: 'upgrade: input changed',
    });
    expect(end.phase).toBe('succeeded');
    expect(await environment.plan()).toMatchObject({ services: [], unchanged: 2 });
  });

  test('is released by itself where the configuration follows', async () => {
    const files = repository('follow', ['api']);
    const environment = await lab.environment('follow', files, { chartRanges: 'follow' });
    await environment.release();
    await lab.publishCharts('1.4.0', 8084);
    await environment.forgetIndexes();
    expect(actions(await environment.plan())).toEqual({
      api: 'upgrade: chart moved 1.3.0 → 1.4.0',
    });
  });

  test('is found at once when a commit names a version that the index does not have yet', async () => {
    const environment = await lab.environment('exact', repository('exact', ['api']));
    await environment.release();
    await lab.publishCharts('2.0.0', 8085);
    const helmfile = repository('exact', ['api'])['helmfile.yaml.gotmpl'] ?? '';
    await environment.push({ 'helmfile.yaml.gotmpl': helmfile.replace('^1.0.0', '2.0.0') });
    expect((await environment.plan()).services).toMatchObject([{ chartVersion: '2.0.0' }]);
  });
});

test('a value that is different each time is named, and keeps no apply from its plan', async () => {
  const files = repository('unstable', ['audit', 'web']);
  const path = 'values/audit.yaml.gotmpl';
  const random = `${files[path] ?? ''}flag: {{ randAlpha 8 | quote }}\n`;
  const environment = await lab.environment('unstable', { ...files, [path]: random });
  const { plan, end } = await environment.release();
  expect(plan.unstable).toEqual(['audit']);
  expect(end.phase).toBe('succeeded');
  expect(actions(await environment.plan())).toEqual({
    audit: 'upgrade: input changed (its input is different each time)',
  });
});

test('what is no longer declared is uninstalled where that is asked for', async () => {
  const files = repository('pruned', ['audit', 'web']);
  const environment = await lab.environment('pruned', files, { prune: true });
  await environment.release();
  await environment.push({ 'services.yaml': services(['web']) });
  const { plan, end } = await environment.release();
  expect(actions(plan)).toEqual({ audit: 'uninstall: uninstall: no longer declared' });
  expect(end.phase).toBe('succeeded');
  expect(Object.keys(await revisions(environment))).toEqual(['web']);
});

function actions(plan: PlanResult): Record<string, string> {
  return Object.fromEntries(
    plan.services.map(({ name, action, reason }) => [name, `${action ?? ''}: ${reason ?? ''}`]),
  );
}

async function revisions(environment: ReleasedEnvironment): Promise<Record<string, string>> {
  const listed = JSON.parse(await environment.helm('list', '--output', 'json')) as {
    name: string;
    revision: string;
  }[];
  return Object.fromEntries(listed.map(({ name, revision }) => [name, revision]));
}
