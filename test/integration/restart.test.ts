import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository, versions } from '../support/own-services.ts';
import { ReleaseLab, type ReleasedEnvironment } from '../support/released-environment.ts';

let lab: ReleaseLab;
let environment: ReleasedEnvironment;
beforeAll(async () => {
  lab = await ReleaseLab.start();
  const files = repository('restarted', ['audit', 'web']);
  environment = await lab.environment('restarted', files, { restart: ['deployment/web'] });
  expect((await environment.release()).end.phase).toBe('succeeded');
});
afterAll(() => lab.stop());

test('a change of another service replaces the pods of what is to be restarted, once', async () => {
  const before = await replicaSets();
  await environment.push({ 'versions.yaml': versions({ audit: '2' }) });
  const { plan, end, log } = await environment.release();
  expect(plan.restart).toEqual(['deployment/web']);
  expect(end.phase).toBe('succeeded');
  expect(await replicaSets()).toBe(before + 1);
  expect(log).toContain('deployment/web: restart afterwards');
  expect(log).toContain('deployment/web: restarted');
  expect(log).toContain('web: healthy, Deployment/web restarted: 1 of 1 new replicas available');
});

test('a release that changes nothing restarts nothing, and sees no difference in what was restarted', async () => {
  const before = await replicaSets();
  const { plan, end } = await environment.release({ manual: true });
  expect(plan).toMatchObject({ services: [], untouched: [], unchanged: 2 });
  expect(end.phase).toBe('unchanged');
  expect(await replicaSets()).toBe(before);
});

test("Helm's next upgrade keeps the mark of the restart", async () => {
  const mark = await markOfWeb();
  expect(mark).toMatch(/^dep_/);
  await environment.helm('upgrade', 'web', `${environment.content}/chart`, '--set', 'version=9');
  expect(await markOfWeb()).toBe(mark);
});

test('what is not there is named', async () => {
  const files = repository('misnamed', ['web']);
  const misnamed = await lab.environment('misnamed', files, { restart: ['statefulset/frontend'] });
  await expect(misnamed.release()).rejects.toMatchObject({
    code: 'workload-missing',
    message: expect.stringContaining('StatefulSet/frontend') as string,
  });
});

async function replicaSets(): Promise<number> {
  const args = ['get', 'replicasets', '--selector', 'app=web', '--output', 'name'];
  return (await environment.kubectl(...args)).trim().split('\n').length;
}

function markOfWeb(): Promise<string> {
  const path = '{.spec.template.metadata.annotations.slipway-restart}';
  return environment.kubectl('get', 'deployment', 'web', '--output', `jsonpath=${path}`);
}
