import { afterAll, beforeAll, expect, test } from 'vitest';
import { versionedRepository, versions } from '../support/own-services.ts';
import { ReleaseLab, type ReleasedEnvironment } from '../support/released-environment.ts';

/** Of helm, because no release here is to fail by it. */
const PATIENT = 'timeout: 90, ';

let lab: ReleaseLab;
beforeAll(async () => {
  lab = await ReleaseLab.start();
});
afterAll(() => lab.stop());

test('the earlier commit is applied again, though Helm has long forgotten what it made', async () => {
  const files = versionedRepository('forgetful', `${PATIENT}historyMax: 2, `);
  const environment = await lab.environment('forgetful', files);
  const { commit } = environment;
  expect((await environment.release()).end).toEqual({ phase: 'succeeded' });
  for (const web of ['2', '3']) {
    await environment.push({ 'versions.yaml': versions({ web }) });
    expect((await environment.release()).end).toEqual({ phase: 'succeeded' });
  }
  expect(await revisions(environment, 'web')).toEqual(['2', '3']);

  environment.goBackTo(commit);
  const { plan, end } = await environment.release({ manual: true });
  expect(end.phase).toBe('succeeded');
  // What the later commits left alone is left alone on the way back too.
  expect(plan.services.map(({ name }) => name)).toEqual(['web']);
  expect(await image(environment, 'web')).toBe('registry.example/own:1');
  expect(await environment.plan({ manual: true })).toMatchObject({ services: [], unchanged: 2 });
}, 240_000);

test('it takes the place of a release that failed', async () => {
  const environment = await lab.environment('failed', versionedRepository('failed', PATIENT));
  const { commit } = environment;
  expect((await environment.release()).end).toEqual({ phase: 'succeeded' });
  // The API server refuses it at once.
  await environment.push({ 'values/web.yaml.gotmpl': 'version: "2"\nreplicas: -1\n' });
  expect((await environment.release()).end.phase).toBe('failed');

  environment.goBackTo(commit);
  const { plan, end } = await environment.release({ manual: true });
  expect(end).toEqual({ phase: 'succeeded' });
  expect(plan.services).toMatchObject([{ name: 'web', reason: 'last attempt failed' }]);
  expect(await image(environment, 'web')).toBe('registry.example/own:1');
}, 240_000);

async function image(environment: ReleasedEnvironment, name: string): Promise<string> {
  const path = 'jsonpath={.spec.template.spec.containers[0].image}';
  return environment.kubectl('get', `deployment/${name}`, '--output', path);
}

/** The revisions that Helm still has of a service. */
async function revisions(environment: ReleasedEnvironment, service: string): Promise<string[]> {
  const history = await environment.helm('history', service, '--output', 'json');
  return (JSON.parse(history) as { revision: number }[]).map(({ revision }) => String(revision));
}
