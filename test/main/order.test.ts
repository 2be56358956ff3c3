import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readGates } from '../../activities/read-gates.ts';
import { Mirror } from '../../src/adapters/git/mirror.ts';
import { SlipwayError } from '../../src/domain/errors.ts';
import type { EndPhase } from '../../src/domain/phases.ts';
import { createOrder } from '../../src/main/order.ts';
import { createVersionsAt } from '../../src/main/versions-at.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startGitHost, type GitHost } from '../support/git-host.ts';
import { idOf, someName } from '../support/records.ts';

let database: TestDatabase;
let host: GitHost;
let folder: string;
beforeAll(async () => {
  [database, host] = await Promise.all([createTestDatabase(), startGitHost()]);
  folder = await mkdtemp(join(tmpdir(), 'slipway-order-'));
});
afterAll(async () => {
  await Promise.all([database.close(), host.stop(), rm(folder, { recursive: true })]);
});

const NEVER = new AbortController().signal;
const HOUR_MS = 3_600_000;

describe('a deployment of an environment that follows one of another repository', () => {
  test('waits until the same version is good there, and then goes on', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '1' });
    await prod.deployed({ audit: '1' });
    const deployment = await prod.begun({ audit: '2' });
    expect(await deployment.gate()).toBe(`cs-prod waits until ${uat.on} runs audit 2 (there: 1).`);
    await uat.deployed({ audit: '2' });
    expect(await deployment.gate()).toBeUndefined();
  });

  test('asks for what it changes, not for what runs here already', async () => {
    const { uat, prod } = await places();
    await prod.deployed({ audit: '1', search: '1' });
    await uat.deployed({ audit: '2', search: '2' });
    expect(await (await prod.begun({ audit: '2', search: '1' })).gate()).toBeUndefined();
    const both = await prod.begun({ audit: '2', search: '3' });
    expect(await both.gate()).toBe(`cs-prod waits until ${uat.on} runs search 3 (there: 2).`);
  });

  test('asks for all where nothing was good here yet, or what was is not known to run', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '1', search: '1' });
    const first = await prod.begun({ audit: '2', search: '2' });
    expect(await first.gate()).toContain('runs audit 2 (there: 1), search 2 (there: 1).');
    await first.end('failed');
    const again = await prod.begun({ audit: '2', search: '2', more: '1' });
    expect(await again.gate()).toContain('runs audit 2 (there: 1), search 2 (there: 1).');
  });

  test('does not take a failure, a change under way or a rollback there for good', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '1' });
    const deployment = await prod.begun({ audit: '2' });
    const running = await uat.begun({ audit: '2' });
    await running.applying();
    expect(await deployment.gate()).toContain('(there: 1)');
    await running.end('rolled-back');
    expect(await deployment.gate()).toContain('(there: 1)');
    await uat.deployed({ audit: '2' });
    await (await uat.begun({ audit: '3' })).end('failed');
    expect(await deployment.gate()).toMatch(/\(there: 3, but deployment \d+ did not succeed\)/);
  });

  test('does not mind what ended there before it changed anything', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '2' });
    const deployment = await prod.begun({ audit: '2' });
    const next = await uat.begun({ audit: '3' });
    await next.planning();
    expect(await deployment.gate()).toBeUndefined();
    await next.end('superseded');
    expect(await deployment.gate()).toBeUndefined();
  });

  test('knows that a service failed there whose version is the same', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '2', search: '1' });
    const deployment = await prod.begun({ audit: '2' });
    await (await uat.begun({ audit: '2', search: '1' })).end('failed', 'extracts');
    expect(await deployment.gate()).toContain('(there: 2, but deployment');
  });

  test('knows that a service is ill that was good when it was deployed', async () => {
    const { uat, prod } = await places();
    const asleep = await uat.begun({ audit: '2' });
    await asleep.end('succeeded', 'extracts');
    const deployment = await prod.begun({ audit: '2' });
    await asleep.seen('degraded');
    expect(await deployment.gate()).toContain('runs audit 2 (there: 2, which is degraded now).');
    // What comes for another service heals nothing.
    await (await uat.begun({ audit: '2', search: '2' })).end('succeeded', 'search');
    expect(await deployment.gate()).toContain('which is degraded now');
    await asleep.seen('healthy');
    expect(await deployment.gate()).toBeUndefined();
  });

  test('waits for the soak, and says when it is over', async () => {
    const { uat, prod } = await places({ soakMs: HOUR_MS });
    await uat.deployed({ audit: '2' });
    const deployment = await prod.begun({ audit: '2' });
    expect(await deployment.gate()).toContain(`(soak of 1h): ${uat.on} has run audit 2 since`);
    await uat.deployed({ audit: '2', search: '2' });
    expect(await deployment.gate(HOUR_MS)).toBeUndefined();
  });

  test('goes ahead with a key that only it has, and says so in its log, once', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '2' });
    const deployment = await prod.begun({ audit: '2', own: '1' });
    expect(await deployment.gate()).toBeUndefined();
    expect(await deployment.gate()).toBeUndefined();
    const { items } = await database.store.logs.read({ deploymentId: deployment.id, limit: 10 });
    expect(items.map(({ text }) => text)).toEqual([
      `[slipway] ${uat.on} has no version of own: for that cs-prod does not wait.`,
    ]);
  });

  test('takes a commit that left the environment there untouched for what runs there', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '1' });
    // A key of another environment, which reads the same file.
    await uat.leftUntouched({ audit: '1', wcs: '2' });
    expect(await (await prod.begun({ wcs: '2' })).gate()).toBeUndefined();
  });

  test('waits while the forge is away', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '2' });
    const deployment = await prod.begun({ audit: '2' });
    uat.away = true;
    expect(await deployment.gate()).toContain('cannot be reached. An override');
    uat.away = false;
    expect(await deployment.gate()).toBeUndefined();
  });

  test('waits where a versions.yaml cannot be found or read, and says what helps', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '2' });
    const lost = await prod.begun({ audit: '2' }, { 'elsewhere/versions.yaml': 'audit: 2\n' });
    expect(await lost.gate()).toMatch(
      /^cs-prod waits for .*: prod-\w+ at [0-9a-f]{8}: which versions\.yaml cs-prod reads cannot be told without helmfile; keep it in cs-prod\/versions\.yaml or environments\/cs-prod\/versions\.yaml\. An override/,
    );
    const merged = 'x: &x { audit: 2 }\nversions: { <<: *x }\n';
    const unclear = await prod.begun({}, { 'cs-prod/versions.yaml': merged });
    expect(await unclear.gate()).toContain('merges versions in with "<<"; write them out.');
  });

  test('does not wait with a commit that can never be released', async () => {
    const { uat, prod } = await places();
    await uat.deployed({ audit: '2' });
    const link = { 'cs-prod/link': { mode: '120000', content: '/etc' } };
    await expect((await prod.begun({}, link)).gate()).rejects.toThrow(/link is a symbolic link/);
  });

  test('is woken when a deployment there ends, and not by others', async () => {
    const { uat, prod, woken } = await places();
    const deployment = await prod.begun({ audit: '2' });
    await deployment.waiting();
    await prod.ended(deployment.id);
    expect(woken).toEqual([]);
    await uat.ended((await uat.begun({ audit: '2' })).id);
    expect(woken).toEqual([{ cluster: 'notprod', namespace: deployment.namespace }]);
  });
});

describe('an environment that soaks after one of its own repository', () => {
  test('waits from when the release came there, whatever it changes', async () => {
    const { uat, beside } = await places({ soakMs: HOUR_MS });
    const commit = await uat.deployed({ audit: '1' });
    const deployment = await beside.begun({}, {}, commit);
    expect(await deployment.gate()).toMatch(/\(soak of 1h\): cs-uat has run release #\d+ since/);
    expect(await deployment.gate(HOUR_MS)).toBeUndefined();
    await (await uat.begun({ audit: '2' })).end('rolled-back');
    expect(await deployment.gate(HOUR_MS)).toBeUndefined();
  });

  test('asks for the versions where the release leaves that one untouched', async () => {
    const { uat, beside } = await places({ soakMs: HOUR_MS });
    await uat.deployed({ audit: '1' });
    const files = { 'wcs-uat/versions.yaml': 'audit: "2"\n' };
    const deployment = await beside.begun({ audit: '1' }, files);
    expect(await deployment.gate()).toBe('wcs-uat waits until cs-uat runs audit 2 (there: 1).');
  });
});

/** `cs-uat` and `wcs-uat`, which soaks after it, and `cs-prod` of another repository, which follows it. */
async function places({ soakMs = 0 } = {}) {
  const [notprod, production] = [someName('notprod'), someName('prod')];
  const { store } = database;
  const woken: unknown[] = [];
  const away = new Set<string>();
  const mirrors = new Map(
    [notprod, production].map((name) => {
      const access = { path: process.env['PATH'] ?? '', url: host.url, folder: join(folder, name) };
      return [name, new Mirror(access, name)];
    }),
  );
  const looks = await mkdtemp(join(folder, 'looks-'));
  const read = await createVersionsAt((name) => mirrors.get(name) as Mirror, looks);
  const settings = (waitsFor: { repository: string; environment: string; soakMs: number }[]) => ({
    waitsFor,
    versionKeys: new Map([['extracts', 'audit']]),
  });
  const follows = settings([{ repository: notprod, environment: 'cs-uat', soakMs }]);
  const { dependencies, note, wakeFollowers } = createOrder({
    repositories: new Map([
      [
        notprod,
        {
          environments: new Map([
            ['cs-uat', settings([])],
            ['wcs-uat', follows],
          ]),
        },
      ],
      [production, { environments: new Map([['cs-prod', follows]]) }],
    ]),
    store,
    versions: (at, signal) =>
      away.has(at.repository)
        ? Promise.reject(new SlipwayError('git-unreachable', 'The forge cannot be reached.'))
        : read(at, signal),
    wake: (lanes) => {
      woken.push(...lanes);
      return Promise.resolve();
    },
  });

  const place = (repository: string, environment: string, on: string) => {
    const begun = async (
      versions: Record<string, string>,
      files: Parameters<GitHost['commit']>[0]['files'] = versionsFile(environment, versions),
      known?: string,
    ) => {
      const commit = known ?? (await host.commit({ branch: repository, files }));
      const { release } = await store.releases.upsert({ repository, commit, kind: 'automatic' });
      const namespace = `${repository}-${environment}`;
      const created = await store.deployments.createForRun({
        ...{ releaseId: release.id, run: 0, kind: 'automatic', title: '', author: '' },
        committedAt: '2026-01-02T03:04:05.000Z',
        targets: [{ repository, environment, cluster: 'notprod', namespace }],
      });
      const id = idOf(new Map(created.map((one) => [one.environment, one])), environment);
      let order = 0;
      const phase = (name: 'planning' | 'applying' | 'waiting') =>
        store.deployments.recordPhase({
          ...{ deploymentId: id, phase: name, attempt: 1, note: '', order: ++order },
          ...(name === 'waiting'
            ? { waiting: { reason: 'dependency' as const, sentence: 'Waits.' } }
            : {}),
        });
      return {
        ...{ id, commit, namespace },
        planning: () => phase('planning'),
        applying: () => phase('applying'),
        waiting: () => phase('waiting'),
        end: async (end: EndPhase, service?: string) => {
          if (end !== 'superseded') await phase('applying');
          const cause = { code: 'crash-loop', sentence: 'It crashes.' } as const;
          const record = { name: service ?? '', chart: 'c', fingerprint: 'f', cause };
          const recorded = end === 'succeeded' ? end : 'failed';
          await store.deployments.recordOutcome({
            ...{ deploymentId: id, environment, phase: end, attempt: 1 },
            records: service === undefined ? [] : [{ ...record, end: recorded }],
          });
        },
        /** What is seen of the service `extracts`, which `audit` drives, when it wakes. */
        seen: (state: 'degraded' | 'healthy') => {
          const services = [{ service: 'extracts', state, note: '', workloads: [] }];
          return store.health.store({ deploymentId: id, at: new Date().toISOString(), services });
        },
        /** What it waits for, some time from now; undefined when it may go on. */
        gate: async (afterMs = 0) => {
          const now = new Date(Date.now() + afterMs).toISOString();
          const answer = await readGates(
            {
              ...{ facts: store.gates.facts, approvals: store.approvals, dependencies, note },
              calendar: () => [],
              hasWorker: () => Promise.resolve(true),
            },
            {
              ...{ deploymentId: id, repository, environment, cluster: 'notprod' },
              ...{ kind: 'automatic', now },
            },
            NEVER,
          );
          return answer.answer === 'wait' ? answer.waiting.sentence : undefined;
        },
      };
    };
    return {
      on,
      begun,
      set away(is: boolean) {
        if (is) away.add(repository);
        else away.delete(repository);
      },
      deployed: async (versions: Record<string, string>) => {
        const deployment = await begun(versions);
        await deployment.planning();
        await deployment.end('succeeded');
        return deployment.commit;
      },
      leftUntouched: async (versions: Record<string, string>) => {
        const files = versionsFile(environment, versions);
        const commit = await host.commit({ branch: repository, files });
        await store.releases.upsert({ repository, commit, kind: 'automatic' });
        await database.db
          .updateTable('releases')
          .set({ untouched: JSON.stringify([environment]) })
          .where('commit', '=', commit)
          .execute();
      },
      ended: (deploymentId: string) => wakeFollowers({ deploymentId, environment }),
    };
  };
  return {
    woken,
    uat: place(notprod, 'cs-uat', `${notprod}/cs-uat`),
    beside: place(notprod, 'wcs-uat', 'wcs-uat'),
    prod: place(production, 'cs-prod', 'cs-prod'),
  };
}

function versionsFile(environment: string, versions: Record<string, string>) {
  const lines = Object.entries(versions).map(([key, version]) => `  ${key}: "${version}"\n`);
  return { [`environments/${environment}/versions.yaml`]: `versions:\n${lines.join('')}` };
}
