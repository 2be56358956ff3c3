import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutcomeRecord, PhaseRecord } from '../../../src/contract/workflow/activities.ts';
import { ACTIVE_PHASES, END_PHASES, isEnd, releasePhase } from '../../../src/domain/phases.ts';
import type { ServiceRecord } from '../../../src/domain/plan/service-records.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { idOf, storeRelease, storeRun } from '../../support/records.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const cause = { code: 'cluster-unreachable', sentence: 'No answer from notprod.' } as const;

async function storeDeployment() {
  const stored = await storeRelease(database.store);
  return { ...stored, deploymentId: idOf(stored.deployments, 'cs-dev') };
}

async function find(deploymentId: string) {
  const found = await database.store.deployments.find(deploymentId);
  if (!found) throw new Error(`${deploymentId} is gone`);
  return found;
}

async function releasePhaseOf(releaseId: string) {
  return (await database.store.releases.find(releaseId))?.phase;
}

function phase(deploymentId: string, change: Partial<PhaseRecord>): PhaseRecord {
  return { deploymentId, phase: 'applying', attempt: 1, note: '', ...change };
}

function outcome(deploymentId: string, change: Partial<OutcomeRecord>): OutcomeRecord {
  return { deploymentId, environment: 'cs-dev', phase: 'succeeded', attempt: 1, ...change };
}

describe('the deployments of a run', () => {
  it('are the same when they are asked for again, also at the same time', async () => {
    const { release } = await storeRelease(database.store, { environments: [] });
    const environments = ['a', 'b', 'c'];
    const all = await Promise.all(
      Array.from({ length: 4 }, () => storeRun(database.store, release, environments, 0)),
    );
    for (const answer of all) expect(answer).toEqual(all[0]);
    expect(await database.store.releases.find(release.id)).toMatchObject({
      deployments: [{}, {}, {}],
    });
  });

  it('make a release without any of them unchanged', async () => {
    const { release } = await storeRelease(database.store, { environments: [] });
    expect(await releasePhaseOf(release.id)).toBe('unchanged');
  });

  it('of a rerun decide over the phase of the release', async () => {
    const { store } = database;
    const { release, deployments } = await storeRelease(store, { environments: ['a', 'b'] });
    const end = (deploymentId: string, environment: string, to: 'succeeded' | 'failed') =>
      store.deployments.recordOutcome({ deploymentId, environment, phase: to, attempt: 1 });
    await end(idOf(deployments, 'a'), 'a', 'succeeded');
    expect(await releasePhaseOf(release.id)).toBe('running');
    await end(idOf(deployments, 'b'), 'b', 'failed');
    expect(await releasePhaseOf(release.id)).toBe('failed');
    const again = await storeRun(store, release, ['b'], 1);
    expect(await releasePhaseOf(release.id)).toBe('running');
    await end(idOf(again, 'b'), 'b', 'succeeded');
    expect(await store.releases.find(release.id)).toMatchObject({
      phase: 'succeeded',
      endedAt: expect.any(String) as string,
    });
  });
});

describe('a record', () => {
  it('that comes late changes nothing', async () => {
    const { deploymentId } = await storeDeployment();
    const { deployments } = database.store;
    await deployments.recordPhase(phase(deploymentId, { phase: 'verifying', note: 'now' }));
    await deployments.recordPhase(phase(deploymentId, { phase: 'applying', note: 'late' }));
    await deployments.recordPhase(phase(deploymentId, { phase: 'queued', attempt: 0 }));
    expect(await find(deploymentId)).toMatchObject({ phase: 'verifying', attempt: 1, note: 'now' });
  });

  it('of the same phase brings the news', async () => {
    const { deploymentId } = await storeDeployment();
    const { deployments } = database.store;
    await deployments.recordPhase(phase(deploymentId, { note: '1 of 3' }));
    await deployments.recordPhase(phase(deploymentId, { note: '2 of 3' }));
    expect(await find(deploymentId)).toMatchObject({ note: '2 of 3' });
  });

  it('tells the story of each attempt', async () => {
    const { deploymentId } = await storeDeployment();
    const { deployments } = database.store;
    await deployments.recordPhase(phase(deploymentId, { phase: 'planning', attempt: 0 }));
    await deployments.recordPhase(phase(deploymentId, { attempt: 1 }));
    await deployments.recordPhase(phase(deploymentId, { phase: 'retrying', attempt: 1, cause }));
    expect(await find(deploymentId)).toMatchObject({ phase: 'retrying', cause });
    await deployments.recordPhase(phase(deploymentId, { attempt: 2 }));
    expect(await find(deploymentId)).toMatchObject({ phase: 'applying', cause: null });
    await deployments.recordOutcome(outcome(deploymentId, { attempt: 2 }));
    const { attempts } = await find(deploymentId);
    expect(attempts).toMatchObject([
      { number: 1, cause },
      { number: 2, cause: null },
    ]);
    expect(attempts.every(({ endedAt }) => endedAt !== null)).toBe(true);
  });

  it('keeps the first plan', async () => {
    const { deploymentId } = await storeDeployment();
    const { deployments } = database.store;
    for (const digest of ['first', 'second']) {
      const plan = { digest, services: [] };
      await deployments.recordPhase(phase(deploymentId, { phase: 'planning', attempt: 0, plan }));
    }
    expect((await find(deploymentId)).plan?.digest).toBe('first');
  });

  it('may hold what PostgreSQL does not store', async () => {
    const { deploymentId } = await storeDeployment();
    const odd = 'NUL \0, half a pair \ud800, a backslash \\u0000';
    await database.store.deployments.recordPhase(
      phase(deploymentId, { note: odd, cause: { code: 'helm-failed', sentence: odd } }),
    );
    const clean = 'NUL \ufffd, half a pair \ufffd, a backslash \\u0000';
    expect(await find(deploymentId)).toMatchObject({ note: clean, cause: { sentence: clean } });
  });

  it('of a deployment that is not there is an error', async () => {
    await expect(database.store.deployments.recordPhase(phase('dep_nobody', {}))).rejects.toThrow(
      'deployment dep_nobody is not in the store',
    );
  });
});

describe('an end', () => {
  it('is found with its cause', async () => {
    const { deploymentId } = await storeDeployment();
    const { deployments } = database.store;
    expect(await deployments.findEnd(deploymentId)).toBeUndefined();
    await deployments.recordOutcome(outcome(deploymentId, { phase: 'errored', cause }));
    expect(await deployments.findEnd(deploymentId)).toEqual({
      deploymentId,
      environment: 'cs-dev',
      phase: 'errored',
      cause,
    });
  });

  it('says what runs only when it succeeded', async () => {
    const { environments, deployments } = database.store;
    const failed = await storeDeployment();
    const { repository } = failed;
    await environments.sync([
      { repository, name: 'cs-dev', cluster: 'notprod', namespace: 'cs-dev' },
    ]);
    const running = async () =>
      (await environments.find(repository, 'cs-dev'))?.services.map(
        ({ name, chartVersion }) => `${name} ${String(chartVersion)}`,
      );
    const services = [
      { name: 'api', chart: 'generic-service', chartVersion: '2.0.0' },
      { name: 'web', chart: 'generic-service' },
    ];
    await deployments.recordOutcome(
      outcome(failed.deploymentId, { phase: 'failed', services, cause }),
    );
    expect(await running()).toEqual([]);
    const [good] = (await storeRelease(database.store, { repository })).deployments.values();
    await deployments.recordOutcome(outcome(good?.deploymentId ?? '', { services }));
    expect(await running()).toEqual(['api 2.0.0', 'web null']);
  });

  it('that was taken back leaves the last success recorded, under the revision of the rollback', async () => {
    const { deployments, environments } = database.store;
    const first = await storeDeployment();
    const { repository } = first;
    const api = { name: 'api', chart: 'charts/api', fingerprint: 'input-1', helmRevision: 3 };
    const records = [{ ...api, end: 'succeeded' as const }];
    await deployments.recordOutcome(outcome(first.deploymentId, { records }));
    const key = { repository, environment: 'cs-dev' };
    const [success] = await environments.readRecorded(key);
    expect(success).toMatchObject({ lastEnd: 'succeeded', helmRevision: 3 });

    const takeBack = async (from: number | undefined, change: Partial<ServiceRecord> = {}) => {
      const [bad] = (await storeRelease(database.store, { repository })).deployments.values();
      const back = { ...{ name: 'api', chart: '', end: 'taken-back' as const }, ...change };
      const failed = { ...api, fingerprint: 'input-2', end: 'failed' as const, cause };
      const taken = from === undefined ? back : { ...back, from };
      await deployments.recordOutcome(
        outcome(bad?.deploymentId ?? '', { phase: 'rolled-back', records: [failed, taken], cause }),
      );
      return (await environments.readRecorded(key))[0];
    };
    const failed = { fingerprint: 'input-2', cause };
    expect(await takeBack(3, { helmRevision: 5 })).toMatchObject({
      ...{ fingerprint: 'input-1', helmRevision: 5, commit: success?.commit },
      ...{ lastEnd: 'failed', failed },
    });
    // What Helm returned to was somebody else's.
    expect(await takeBack(6, { helmRevision: 8 })).toMatchObject({ helmRevision: 5 });
    // The commit was applied again, with the chart of now.
    const again = { fingerprint: 'input-1', chartVersion: '1.1.0', helmRevision: 9 };
    expect(await takeBack(undefined, again)).toMatchObject({
      ...{ commit: success?.commit, ...again, failed },
    });
  });

  it('is never left nor changed, whatever records come in whatever order', async () => {
    const record = fc.oneof(
      fc.record({ phase: fc.constantFrom(...ACTIVE_PHASES), attempt: fc.nat(3) }),
      fc.record({ phase: fc.constantFrom(...END_PHASES), attempt: fc.nat(3) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 8 }), async (records) => {
        const { release, deploymentId } = await storeDeployment();
        const { deployments } = database.store;
        let before = await find(deploymentId);
        for (const { phase: to, attempt } of records) {
          if (isEnd(to))
            await deployments.recordOutcome(outcome(deploymentId, { phase: to, attempt }));
          else await deployments.recordPhase(phase(deploymentId, { phase: to, attempt }));
          const after = await find(deploymentId);
          if (isEnd(before.phase)) expect(after).toEqual(before);
          else expect(rank(after)).toBeGreaterThanOrEqual(rank(before));
          expect(await releasePhaseOf(release.id)).toBe(releasePhase([after.phase]));
          before = after;
        }
      }),
      { numRuns: 40 },
    );
  });
});

/** Where a deployment is on its way; ends are last whatever the attempt. */
function rank(deployment: {
  phase: PhaseRecord['phase'] | OutcomeRecord['phase'];
  attempt: number;
}) {
  if (isEnd(deployment.phase)) return 1_000;
  return deployment.attempt * 10 + ACTIVE_PHASES.indexOf(deployment.phase);
}

it('many environments of one release can record at the same time', async () => {
  const environments = Array.from({ length: 30 }, (_, index) => `env-${index}`);
  const { release, deployments } = await storeRelease(database.store, { environments });
  await Promise.all(
    environments.map((environment) =>
      database.store.deployments.recordOutcome({
        deploymentId: idOf(deployments, environment),
        environment,
        phase: 'succeeded',
        attempt: 1,
      }),
    ),
  );
  expect(await releasePhaseOf(release.id)).toBe('succeeded');
});
