import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Mirror } from '../../src/adapters/git/mirror.ts';
import { listenForInbox } from '../../src/adapters/postgres/notifications.ts';
import { Orchestrator } from '../../src/adapters/temporal/orchestrator.ts';
import type { Deployment } from '../../src/contract/api/deployment.ts';
import type { Environment } from '../../src/contract/api/environment.ts';
import type { Release } from '../../src/contract/api/release.ts';
import { laneWorkflowId, deploymentWorkflowId } from '../../src/contract/workflow/ids.ts';
import type { ClusterActivities } from '../../src/contract/workflow/activities.ts';
import { createRelay } from '../../src/main/relay.ts';
import { startTestApp, wakingOnly, type TestApp } from '../support/app.ts';
import { startGitHost, type GitHost } from '../support/git-host.ts';
import { storedService } from '../support/stored-service.ts';
import { startDevServer, withWorkers } from '../support/temporal.ts';
import { until } from '../support/until.ts';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const PATIENT = { timeoutMs: 60_000 };

// All but the cluster is real: HTTP, PostgreSQL, git, the relay, Temporal.
let temporal: TestWorkflowEnvironment;
let orchestrator: Orchestrator;
let host: GitHost;
let app: TestApp;
beforeAll(async () => {
  [temporal, host] = await Promise.all([startDevServer(), startGitHost()]);
  const { address, namespace = 'default' } = temporal;
  orchestrator = new Orchestrator({ address, namespace });
  app = await startTestApp({ orchestrator: wakingOnly(orchestrator) });
  await app.database.store.environments.sync(
    ['after', 'during', 'held'].map((name) => ({
      ...{ repository: name, name, cluster: 'notprod', namespace: name },
    })),
  );
});
afterAll(async () => {
  await Promise.all([app.close(), host.stop(), orchestrator.close()]);
  await temporal.teardown();
});

test('the environment runs the earlier release, and what comes waits until somebody resumes', async () => {
  await inEnvironment('after', async (place) => {
    const [a, b] = [await place.released(), await place.released()];
    await place.rollBack(a);
    const back = await place.ended(a, 'rollback');
    expect(back).toMatchObject({ phase: 'succeeded', run: 1 });
    expect(place.applied).toEqual([a, b, a]);
    expect(await place.environment()).toMatchObject({ acceptedCommit: a, hold: { by: 'ada' } });
    const number = back.releaseNumber;
    expect(await place.summaries()).toContainEqual(
      expect.stringMatching(
        `^Roll back after to release #${number}, ${a.slice(0, 8)}: Change something$`,
      ),
    );

    const c = await place.push();
    const waiting = await place.until(c, ({ phase }) => phase === 'waiting');
    expect(waiting.waiting).toMatchObject({
      reason: 'hold',
      sentence: expect.stringContaining(`Rolled back to release #${number}`) as string,
    });
    await place.post('/resume', {});
    expect(await place.ended(c)).toMatchObject({ kind: 'automatic', phase: 'succeeded' });
    expect(place.applied).toEqual([a, b, a, c]);
    expect((await place.environment()).acceptedCommit).toBe(c);
  });
});

test('what applies is brought to its end, then it is rolled back, before what else waits', async () => {
  await inEnvironment('during', async (place) => {
    const a = await place.released();
    place.slow = true;
    const b = await place.push();
    await until(() => place.applied.includes(b));
    const c = await place.push();
    await place.until(c, ({ phase }) => phase === 'queued');
    await place.rollBack(a);
    // Until it has come into the lane, and for as long as it likes.
    await place.until(a, ({ kind }) => kind === 'rollback');
    expect(place.applied).toEqual([a, b]);
    place.slow = false;
    expect(await place.ended(b)).toMatchObject({ phase: 'succeeded' });
    expect(await place.ended(a, 'rollback')).toMatchObject({ phase: 'succeeded' });
    await place.until(c, ({ waiting }) => waiting?.reason === 'hold');
    expect(place.applied).toEqual([a, b, a]);
  });
});

test('it passes a hold, and takes the place of a merge that waits there', async () => {
  await inEnvironment('held', async (place) => {
    const a = await place.released();
    await place.post('/hold', { reason: 'Looking at it' });
    const b = await place.push();
    await place.until(b, ({ waiting }) => waiting?.reason === 'hold');
    await place.rollBack(a);
    expect(await place.ended(a, 'rollback')).toMatchObject({ phase: 'succeeded' });
    expect(await place.ended(b)).toMatchObject({
      phase: 'superseded',
      cause: { code: 'rollback', sentence: expect.stringContaining(a.slice(0, 8)) as string },
    });
    expect(place.applied).toEqual([a, a]);
  });
});

/** One environment of a repository of the same name, from webhook to record. */
async function inEnvironment(name: string, story: (place: Place) => Promise<void>): Promise<void> {
  const place = new Place(name);
  const { store } = app.database;
  const mirror = place.mirror;
  const service = storedService({ store, mirror: () => mirror, orchestrator, log: SILENT }, () => [
    place.settings,
  ]);
  const relay = createRelay({
    inbox: store.inbox,
    releases: store.releases,
    heads: async () => ({ commit: await mirror.head() }),
    holds: (_repository, head, commit) => mirror.isAncestor(commit, head),
    startRelease: (input) => orchestrator.startRelease(input),
    listen: (onNotify) => listenForInbox({ url: app.database.url, onNotify }),
    log: SILENT,
  });
  try {
    await withWorkers(temporal, { service, cluster: place.cluster() }, async () => {
      await story(place);
      const lanes = [laneWorkflowId(place.settings), deploymentWorkflowId(place.settings)];
      for (const id of lanes) {
        await temporal.client.workflow
          .getHandle(id)
          .terminate()
          .catch(() => undefined);
      }
    });
  } finally {
    await relay.stop();
  }
}

class Place {
  readonly settings;
  readonly mirror: Mirror;
  /** The commits that were written to the cluster, in order. */
  readonly applied: string[] = [];
  /** While it is set no apply ends. */
  slow = false;
  readonly #name: string;
  #pushes = 0;

  constructor(name: string) {
    this.#name = name;
    this.settings = {
      ...{
        name,
        cluster: 'notprod',
        namespace: name,
        after: [],
        chartRanges: 'hold' as const,
        mode: 'deploy' as const,
        onFailure: 'stop' as const,
      },
      ...{ overtakeVerifying: false, retry: { attempts: 1, backoffMs: 1, limitMs: 1 } },
      rollout: { timeoutMs: 1_000, soakMs: 0, restartsMax: 5 },
    };
    const access = { path: process.env.PATH ?? '/usr/bin:/bin', url: host.url };
    this.mirror = new Mirror({ ...access, folder: `${host.folder}/${name}` }, 'main');
  }

  /** A merge, and the webhook that tells of it. */
  async push(): Promise<string> {
    this.#pushes += 1;
    const files = { 'a.txt': `${this.#name} ${this.#pushes}\n` };
    const commit = await host.commit({ files });
    await app.database.store.inbox.addEvent({
      repository: this.#name,
      push: { ref: 'refs/heads/main', before: '0'.repeat(40), after: commit },
      body: Buffer.from('{}'),
    });
    return commit;
  }

  async released(): Promise<string> {
    const commit = await this.push();
    expect(await this.ended(commit)).toMatchObject({ phase: 'succeeded' });
    return commit;
  }

  async rollBack(to: string): Promise<void> {
    await this.post('/rollback', { to, reason: 'Orders fail' });
  }

  async post(path: string, payload: Record<string, unknown>): Promise<void> {
    const url = `/api/v1/environments/${this.#name}/${this.#name}${path}`;
    const request = { method: 'POST' as const, url, headers: app.signedIn, payload };
    expect((await app.app.inject(request)).statusCode).toBeLessThan(300);
  }

  environment(): Promise<Environment> {
    return this.#get(`/environments/${this.#name}/${this.#name}`);
  }

  ended(commit: string, kind: Deployment['kind'] = 'automatic'): Promise<Deployment> {
    return this.until(commit, (one) => one.kind === kind && one.endedAt !== null);
  }

  /** Waits for a state of the newest deployment of a commit. */
  async until(commit: string, isSo: (deployment: Deployment) => boolean): Promise<Deployment> {
    let found: Deployment | undefined;
    await until(async () => {
      const { items } = await this.#get<{ items: Release[] }>(
        `/releases?repository=${this.#name}&limit=200`,
      );
      const newest = items.find((release) => release.commit === commit)?.deployments[0];
      if (newest) found = await this.#get<Deployment>(`/deployments/${newest.id}`);
      return found && isSo(found);
    }, PATIENT);
    if (!found) throw new Error(`${commit} has no deployment`);
    return found;
  }

  /** What Temporal's UI says that the deployments of this environment do. */
  async summaries(): Promise<string[]> {
    const found: string[] = [];
    const query = `WorkflowId = '${deploymentWorkflowId(this.settings)}'`;
    for await (const { workflowId, runId } of temporal.client.workflow.list({ query })) {
      const described = await temporal.client.workflow.getHandle(workflowId, runId).describe();
      found.push((await described.staticSummary()) ?? '');
    }
    return found;
  }

  cluster(): Partial<ClusterActivities> {
    return {
      checkout: () => Promise.resolve({ title: '', author: '', committedAt: '' }),
      plan: ({ deployment: { commit } }) =>
        Promise.resolve({ digest: commit, services: [{ name: 'api', chart: 'charts/api' }] }),
      inspect: () => Promise.resolve({ deadHolder: '', healed: [] }),
      apply: async ({ deployment: { commit } }) => {
        const { heartbeat } = Context.current();
        this.applied.push(commit);
        await until(() => {
          heartbeat();
          return !this.slow;
        });
        return { durationMs: 1 };
      },
      watchRollout: () => Promise.resolve({ state: 'healthy', services: [] }),
    };
  }

  async #get<T>(path: string): Promise<T> {
    const url = `/api/v1${path}`;
    return (await app.app.inject({ url, headers: app.signedIn })).json<T>();
  }
}
