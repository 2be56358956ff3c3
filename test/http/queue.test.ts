import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Deployment } from '../../src/contract/api/deployment.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { idOf, storeRelease } from '../support/records.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

async function show(id: string): Promise<Deployment> {
  const url = `/api/v1/deployments/${id}`;
  const response = await test.app.inject({ url, headers: test.signedIn });
  expect(response.statusCode).toBe(200);
  return response.json<Deployment>();
}

it('a queued deployment says its place, and what is before it', async () => {
  const { store } = test.database;
  // Of the app's repository: cs-qa comes after cs-dev.
  const both = { repository: 'notprod', environments: ['cs-dev', 'cs-qa'] };
  const { deployments } = await storeRelease(store, both);
  const [dev, qa] = [idOf(deployments, 'cs-dev'), idOf(deployments, 'cs-qa')];
  expect(await show(dev)).toMatchObject({
    note: 'First in lane notprod/notprod-cs-dev.',
    queue: { lane: 'notprod/notprod-cs-dev', place: 1, behind: [] },
  });
  const applying = { phase: 'applying', attempt: 1, note: 'Applying a' } as const;
  await store.deployments.recordPhase({ deploymentId: dev, ...applying });
  expect(await show(dev)).not.toHaveProperty('queue');
  const waits = await show(qa);
  expect(waits.note).toMatch(
    /^Waits its turn after cs-dev, deployment \d+ of release #\d+ \(applying, began .* UTC\)\.$/,
  );
  expect(waits.queue).toMatchObject({ place: 0, behind: [{ id: dev, phase: 'applying' }] });

  const next = await storeRelease(store, { ...both, environments: ['cs-dev'] });
  expect(await show(idOf(next.deployments, 'cs-dev'))).toMatchObject({
    queue: { place: 2, behind: [{ id: dev, environment: 'cs-dev', phase: 'applying' }] },
  });
  const end = { deploymentId: dev, environment: 'cs-dev', attempt: 1 } as const;
  await store.deployments.recordOutcome({ ...end, phase: 'succeeded' });
  expect(await show(idOf(next.deployments, 'cs-dev'))).toMatchObject({ queue: { place: 1 } });
  expect(await show(qa)).toMatchObject({ note: 'First in lane notprod/notprod-cs-qa.' });
});
