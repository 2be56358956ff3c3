import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { lookForDriftNow, setDriftSchedules } from '../../src/adapters/temporal/drift.ts';
import type { DriftLook, DriftRecord } from '../../src/contract/workflow/activities.ts';
import { driftNowId, SERVICE_QUEUE } from '../../src/contract/workflow/ids.ts';
import type { EnvironmentRef } from '../../src/contract/workflow/payloads.ts';
import type { DriftReport } from '../../src/domain/drift/report.ts';
import type { driftWorkflow } from '../../workflows/drift.ts';
import { startDevServer, withWorkers } from '../support/temporal.ts';
import { until } from '../support/until.ts';

let server: TestWorkflowEnvironment;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.teardown());

const report: DriftReport = {
  services: [{ service: 'api', finding: 'missing', note: 'its Helm release was uninstalled' }],
  objects: { services: [], truncated: { resources: 0, fields: 0, lines: 0 } },
  notLookedAt: [],
};
const begun: DriftLook = { look: true, since: '2026-01-01T00:00:00.000Z', recorded: [] };

let begin: DriftLook;
let look: () => Promise<DriftReport>;
let looks: EnvironmentRef[];
let records: DriftRecord[];
beforeEach(() => {
  begin = begun;
  look = () => Promise.resolve(report);
  looks = [];
  records = [];
});
const stubs = {
  service: {
    beginDriftLook: () => Promise.resolve(begin),
    recordDrift: (record: DriftRecord) => Promise.resolve(void records.push(record)),
  },
  cluster: {
    lookForDrift: ({ environment }: { environment: EnvironmentRef }) => {
      looks.push(environment);
      return look();
    },
  },
};
const environment = (name: string): EnvironmentRef => ({
  ...{ repository: 'deployments', environment: name, cluster: 'notprod', namespace: name },
});

function run(name: string): Promise<'looked' | 'skipped'> {
  return withWorkers(server, stubs, () =>
    server.client.workflow.execute<typeof driftWorkflow>('driftWorkflow', {
      ...{ taskQueue: SERVICE_QUEUE, workflowId: `test/${name}`, args: [environment(name)] },
    }),
  );
}

test('what a look finds is recorded, with since when nothing must have changed', async () => {
  expect(await run('cs-dev')).toBe('looked');
  expect(looks).toEqual([environment('cs-dev')]);
  expect(records).toEqual([
    {
      ...{ repository: 'deployments', environment: 'cs-dev' },
      ...{ since: begun.since, found: { report } },
    },
  ]);
});

test('while a deployment changes things, nobody looks', async () => {
  begin = { look: false, because: 'deployment 7 is on its way' };
  expect(await run('cs-busy')).toBe('skipped');
  expect([looks, records]).toEqual([[], []]);
});

test('why nobody could look is recorded', async () => {
  look = () => Promise.reject(ApplicationFailure.nonRetryable('No route to host', 'cluster-auth'));
  expect(await run('cs-away')).toBe('looked');
  expect(records[0]?.found).toMatchObject({
    unable: { code: 'cluster-auth', sentence: 'No route to host' },
  });
});

test('a schedule looks again and again, until the configuration has it no more', async () => {
  const watch = { ...environment('cs-often'), everyMs: 1_000 };
  await withWorkers(server, stubs, async () => {
    await setDriftSchedules(server.client, [watch]);
    await until(() => records.length >= 2);
    await setDriftSchedules(server.client, []);
    await until(async () => {
      for await (const { scheduleId } of server.client.schedule.list()) return !scheduleId;
      return true;
    });
  });
  expect(looks[0]).toEqual(environment('cs-often'));
});

test('people who ask at once get one look', async () => {
  const place = environment('cs-asked');
  let go = (): void => undefined;
  const mayGo = new Promise<void>((resolve) => {
    go = resolve;
  });
  look = () => mayGo.then(() => report);
  await withWorkers(server, stubs, async () => {
    await Promise.all([1, 2, 3].map(() => lookForDriftNow(server.client, place)));
    await until(() => looks.length > 0);
    await lookForDriftNow(server.client, place);
    go();
    const id = driftNowId(place.repository, place.environment);
    await server.client.workflow.getHandle(id).result();
  });
  expect(looks).toEqual([place]);
  expect(records).toHaveLength(1);
});
