import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { someCommit, someName } from '../../support/records.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('an environment that a merge says nothing new of is listed as untouched, and has accepted it', async () => {
  const at = await repositoryWith(['cs-dev', 'cs-qa']);
  const first = await at.merge({ 'cs-dev': 'one', 'cs-qa': 'one' });
  expect(first.deployments).toEqual(['cs-dev', 'cs-qa']);
  await at.succeed(first);
  const second = await at.merge({ 'cs-dev': 'two', 'cs-qa': 'one' }, first.commit);
  expect(second.deployments).toEqual(['cs-dev']);
  expect(second.untouched).toEqual(['cs-qa']);
  expect(await at.accepted('cs-qa')).toBe(second.commit);
  expect(await at.accepted('cs-dev')).toBe(first.commit);
});

test('a release that changes nothing anywhere ends at once, as unchanged', async () => {
  const at = await repositoryWith(['cs-dev']);
  const first = await at.merge({ 'cs-dev': 'one' });
  await at.succeed(first);
  const second = await at.merge({ 'cs-dev': 'one' }, first.commit);
  expect(second).toMatchObject({ deployments: [], untouched: ['cs-dev'], phase: 'unchanged' });
});

test('asked again, a run answers as it did the first time', async () => {
  const at = await repositoryWith(['cs-dev', 'cs-qa']);
  const first = await at.merge({ 'cs-dev': 'one', 'cs-qa': 'one' });
  await at.succeed(first);
  const second = await at.merge({ 'cs-dev': 'two', 'cs-qa': 'one' }, first.commit);
  const again = await at.run(second.id, { 'cs-dev': 'two' });
  expect(again).toEqual(['cs-dev']);
  expect((await database.store.releases.find(second.id))?.untouched).toEqual(['cs-qa']);
});

test('a revert takes part while what it takes back still waits', async () => {
  const at = await repositoryWith(['cs-dev']);
  const first = await at.merge({ 'cs-dev': 'one' });
  await at.succeed(first);
  await at.merge({ 'cs-dev': 'two' }, first.commit);
  const revert = await at.merge({ 'cs-dev': 'one' }, first.commit);
  expect(revert.deployments).toEqual(['cs-dev']);
});

async function repositoryWith(environments: readonly string[]) {
  const { store } = database;
  const repository = someName('repository');
  const place = (environment: string) => ({
    ...{ repository, environment, cluster: 'notprod', namespace: `${repository}-${environment}` },
  });
  await store.environments.sync(environments.map((name) => ({ ...place(name), name })));
  const run = async (
    releaseId: string,
    inputs: Record<string, string>,
    descendsFrom?: string,
  ): Promise<string[]> => {
    const created = await store.deployments.createForRun({
      ...{ releaseId, run: 0, kind: 'automatic', title: 'Bump', author: 'Ada' },
      committedAt: '2026-01-02T03:04:05.000Z',
      targets: environments.map((name) => ({
        ...place(name),
        ...(inputs[name] === undefined ? {} : { inputs: inputs[name] }),
        ...(descendsFrom === undefined ? {} : { descendsFrom }),
      })),
    });
    return created.map(({ environment }) => environment);
  };
  const merge = async (inputs: Record<string, string>, descendsFrom?: string) => {
    const commit = someCommit();
    const { release } = await store.releases.upsert({ repository, commit, kind: 'automatic' });
    const deployments = await run(release.id, inputs, descendsFrom);
    const { untouched = [], phase } = (await store.releases.find(release.id)) ?? {};
    return { id: release.id, commit, deployments, untouched, phase };
  };
  return {
    run,
    merge,
    succeed: async ({ id, commit }: { id: string; commit: string }) => {
      for (const deployment of (await store.releases.find(id))?.deployments ?? []) {
        const { environment, id: deploymentId } = deployment;
        await store.environments.accept({ repository, environment, commit, deploymentId });
        await store.deployments.recordOutcome({
          ...{ deploymentId, environment, phase: 'succeeded', attempt: 1 },
        });
      }
    },
    accepted: (name: string) => store.environments.acceptedCommit(repository, name),
  };
}
