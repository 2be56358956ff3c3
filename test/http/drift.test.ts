import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Drift } from '../../src/contract/api/drift.ts';
import type { Environment } from '../../src/contract/api/environment.ts';
import type { DriftLook } from '../../src/contract/workflow/activities.ts';
import type { DriftReport } from '../../src/domain/drift/report.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { idOf, someName, storeRelease } from '../support/records.ts';

let test: TestApp;
/** A repository with the environments cs-dev and cs-watched, new for each test. */
let repository: string;
beforeAll(async () => {
  test = await startTestApp();
});
beforeEach(async () => {
  repository = someName('deployments');
  await test.database.store.environments.sync([
    { repository, name: 'cs-dev', cluster: 'notprod', namespace: `${repository}-cs-dev` },
    {
      ...{ repository, name: 'cs-watched', cluster: 'notprod' },
      ...{ namespace: `${repository}-cs-watched`, mode: 'observe' },
    },
  ]);
});
afterAll(() => test.close());

const nothing: DriftReport = {
  ...{ services: [], notLookedAt: [{ what: 'Secret of api', why: 'forbidden' }] },
  objects: { services: [], truncated: { resources: 0, fields: 0, lines: 0 } },
};
const gone: DriftReport = {
  ...nothing,
  services: [{ service: 'api', finding: 'missing', note: 'its Helm release was uninstalled' }],
};

it('is told with its environment, since when it is so, and when it was gone', async () => {
  await deploy();
  expect(await drift()).toMatchObject({ lookedAt: null, since: null, objects: null });
  await look(gone);
  const first = await drift();
  expect(first).toMatchObject({ ...gone, clearedAt: null, trouble: null });
  expect(first.since).not.toBeNull();
  expect((await environment()).drift).toEqual({ since: first.since });
  await look(gone);
  expect((await drift()).since).toBe(first.since);
  await look(nothing);
  const cleared = await drift();
  expect(cleared).toMatchObject({ ...nothing, since: null });
  expect(cleared.clearedAt).not.toBeNull();
  expect((await environment()).drift).toBeNull();
  await look(nothing);
  expect((await drift()).clearedAt).toBe(cleared.clearedAt);
});

it('stands when nobody can look, and says why not', async () => {
  await deploy();
  await look(gone);
  const cause = { code: 'cluster-unreachable', sentence: 'No answer within 10 s.' } as const;
  await record({ unable: cause }, (await begin()).since);
  const shown = await drift();
  expect(shown).toMatchObject({ ...gone, trouble: { cause } });
  expect((await environment()).drift).not.toBeNull();
  await look(gone);
  expect((await drift()).trouble).toBeNull();
});

it('is not looked for before anything was deployed, nor while a deployment changes things', async () => {
  const asked = () => test.database.store.drift.beginDriftLook(place());
  expect(await asked()).toMatchObject({ look: false, because: 'nothing was deployed here yet' });
  await deploy();
  expect(await asked()).toMatchObject({ look: true, recorded: [{ name: 'api' }] });
  const deploymentId = await begun();
  expect(await asked()).toMatchObject({ look: false });
  const { deployments } = test.database.store;
  await deployments.recordOutcome({ ...ended(deploymentId), phase: 'failed', attempt: 1 });
  expect(await asked()).toMatchObject({ look: true });
});

it('is not what a deployment changed while somebody looked', async () => {
  await deploy();
  const { since } = await begin();
  await deploy();
  await record({ report: gone }, since);
  expect((await drift()).since).toBeNull();
  const again = await begin();
  await begun();
  await record({ report: gone }, again.since);
  expect((await drift()).since).toBeNull();
});

it('is looked for now when a person asks, except where another pipeline deploys', async () => {
  const asked = await post('cs-dev');
  expect(asked.statusCode).toBe(202);
  expect(asked.headers.location).toBe(`/api/v1/environments/${repository}/cs-dev/drift`);
  expect(test.looks.at(-1)).toEqual({
    ...place(),
    ...{ cluster: 'notprod', namespace: `${repository}-cs-dev` },
  });
  expect((await post('cs-watched')).statusCode).toBe(409);
  expect((await post('cs-none')).statusCode).toBe(404);
});

const place = () => ({ repository, environment: 'cs-dev' });

/** A look that a deployment does not forbid. */
async function begin(): Promise<Extract<DriftLook, { look: true }>> {
  const begun = await test.database.store.drift.beginDriftLook(place());
  if (!begun.look) throw new Error(begun.because);
  return begun;
}

function record(
  found: { report: DriftReport } | { unable: NonNullable<Drift['trouble']>['cause'] },
  since: string,
) {
  const store = test.database.store.drift;
  return store.recordDrift({ ...place(), since, found } as Parameters<typeof store.recordDrift>[0]);
}

async function look(report: DriftReport): Promise<void> {
  await record({ report }, (await begin()).since);
}

/** A deployment that changes things. */
async function begun(): Promise<string> {
  const { deployments } = await storeRelease(test.database.store, { repository });
  const deploymentId = idOf(deployments, 'cs-dev');
  const phase = { deploymentId, phase: 'applying', attempt: 1, note: 'Applying api' } as const;
  await test.database.store.deployments.recordPhase(phase);
  return deploymentId;
}

function ended(deploymentId: string) {
  return { deploymentId, environment: 'cs-dev' };
}

async function deploy(): Promise<void> {
  const deploymentId = await begun();
  const records = [
    { name: 'api', chart: 'charts/api', end: 'succeeded', helmRevision: 3 } as const,
  ];
  const outcome = { ...ended(deploymentId), phase: 'succeeded', attempt: 1, records } as const;
  await test.database.store.deployments.recordOutcome(outcome);
}

async function drift(): Promise<Drift> {
  const url = `/api/v1/environments/${repository}/cs-dev/drift`;
  return (await test.app.inject({ url, headers: test.signedIn })).json();
}

async function environment(): Promise<Environment> {
  const url = `/api/v1/environments/${repository}/cs-dev`;
  return (await test.app.inject({ url, headers: test.signedIn })).json();
}

function post(name: string) {
  const url = `/api/v1/environments/${repository}/${name}/drift`;
  return test.app.inject({ method: 'POST', url, headers: test.signedIn });
}
