import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OBSERVED_DIGEST } from '../../src/contract/plan-sink.ts';
import { repository, versions } from '../support/own-services.ts';
import {
  ReleaseLab,
  runActivity,
  type ReleasedEnvironment,
} from '../support/released-environment.ts';

let lab: ReleaseLab;
let environment: ReleasedEnvironment;
beforeAll(async () => {
  lab = await ReleaseLab.start();
  const helper = await lab.environment('observe-helper', repository('observe-helper', []));
  const token = { file: join(helper.folder, 'reader') };
  await writeFile(token.file, await readOnlyToken(helper));
  const settings = { mode: 'observe', token, approval: { count: 2 } };
  environment = await lab.environment('observed', repository('observed', NAMES), settings);
  await environment.helmfile('sync');
});
afterAll(() => lab.stop());

const NAMES = ['audit', 'web'];

test('what the other pipeline deploys as planned is agreed', async () => {
  await environment.push({ 'versions.yaml': versions({ audit: '2' }) });
  const observation = await environment.observe(() => environment.helmfile('sync'));
  expect(observation).toEqual({
    verdict: 'agreed',
    services: [{ service: 'audit', result: 'agreed', note: 'went from revision 1 to 2' }],
  });
});

test('what they leave alone, change besides and make otherwise is told apart', async () => {
  await environment.push({ 'versions.yaml': versions({ audit: '3' }) });
  const chart = `${environment.content}/chart`;
  const set = (service: string, value: string) =>
    environment.helm('upgrade', service, chart, '--reuse-values', '--set', value);

  const left = await environment.observe(() => Promise.resolve());
  expect(left.services).toMatchObject([{ service: 'audit', result: 'not-done' }]);

  const besides = await environment.observe(() => set('web', 'flag=hand'));
  expect(besides).toMatchObject({
    verdict: 'disagreed',
    services: [
      { service: 'audit', result: 'not-done' },
      { service: 'web', result: 'not-planned' },
    ],
  });

  const otherwise = await environment.observe(() => set('audit', 'version=4'));
  expect(otherwise.services[0]).toMatchObject({ service: 'audit', result: 'different' });
  const differing = environment.diffs.findLast(({ digest }) => digest === OBSERVED_DIGEST);
  const [audit] = differing?.diff.services.filter(({ service }) => service === 'audit') ?? [];
  expect(audit?.resources[0]?.fields).toEqual([
    {
      pointer: '/spec/template/spec/containers/app/image',
      ...{ before: 'registry.example/own:4', after: 'registry.example/own:3' },
    },
  ]);
});

test('it writes nothing into the cluster: not with a token that may only read', async () => {
  const before = await versionsOfAll();
  await environment.push({ 'versions.yaml': versions({ audit: '5', web: '2' }) });
  await environment.observe(() => Promise.resolve());
  expect(await versionsOfAll()).toEqual(before);
});

test('whoever asks for a write there is refused before the cluster is asked', async () => {
  const before = await versionsOfAll();
  const { activities } = environment;
  const deployment = environment.deployment();
  const plan = await environment.plan();
  const change = { deployment, attempt: 1, deadHolder: '', services: plan.services };
  const calls = [
    runActivity(activities.apply, { ...change, plan }),
    runActivity(activities.rollBack, change),
    runActivity(activities.restart, { ...change, workloads: ['deployment/web'] }),
    runActivity(activities.inspect, { deployment, services: NAMES }),
  ];
  for (const ended of await Promise.allSettled(calls)) {
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'observed-only' } });
  }
  expect(await versionsOfAll()).toEqual(before);
});

/** The version of every object of the namespace; whatever writes moves one, and the newest moves none. */
async function versionsOfAll(): Promise<string[]> {
  const kinds = 'all,secrets,configmaps,leases,serviceaccounts,events,replicasets,pods';
  const path = '{range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}';
  return (await environment.kubectl('get', kinds, '--output', `jsonpath=${path}`))
    .trim()
    .split('\n')
    .sort();
}

/** Of an account that may look at everything, and change nothing. */
async function readOnlyToken(helper: ReleasedEnvironment): Promise<string> {
  await helper.kubectl('create', 'serviceaccount', 'reader');
  await helper.kubectl(
    ...['create', 'clusterrole', 'reader', '--verb=get,list,watch', '--resource=*.*'],
  );
  await helper.kubectl(
    ...['create', 'clusterrolebinding', 'reader', '--clusterrole=reader'],
    '--serviceaccount=observe-helper:reader',
  );
  return (await helper.kubectl('create', 'token', 'reader')).trim();
}
