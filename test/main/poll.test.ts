import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPollHead } from '../../activities/poll-head.ts';
import { Mirror } from '../../src/adapters/git/mirror.ts';
import { listenForInbox } from '../../src/adapters/postgres/notifications.ts';
import { pollNow, setPollSchedules, type Poll } from '../../src/adapters/temporal/polls.ts';
import { pollScheduleId } from '../../src/contract/workflow/ids.ts';
import type { PollResult, ReleaseInput } from '../../src/contract/workflow/payloads.ts';
import { keepPolls } from '../../src/main/keep-polls.ts';
import { createRelay, type Relay } from '../../src/main/relay.ts';
import { activityEnvironment } from '../support/activity-environment.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startGitHost, type GitHost } from '../support/git-host.ts';
import { someCommit, someName } from '../support/records.ts';
import { startDevServer, withWorkers } from '../support/temporal.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let host: GitHost;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

describe('what the poll says of a branch of a real repository', () => {
  let relay: Relay;
  let repository: string;
  let starts: ReleaseInput[];
  /** What the polls logged. */
  let said: string[];
  beforeEach(async () => {
    host = await startGitHost();
    repository = someName('repository');
    starts = [];
    said = [];
    const mirror = new Mirror(access('relay'), 'main');
    relay = createRelay({
      inbox: database.store.inbox,
      releases: database.store.releases,
      heads: async () => ({ commit: await mirror.head() }),
      holds: (_repository, head, commit) => mirror.isAncestor(commit, head),
      startRelease: (input) => {
        starts.push(input);
        return Promise.resolve();
      },
      listen: (onNotify) => listenForInbox({ url: database.url, onNotify }),
      log: { warn: () => undefined, error: () => undefined },
      sweepMs: 50,
    });
    return async () => {
      await relay.stop();
      await host.stop();
    };
  });

  const access = (of: string) => ({
    path: process.env.PATH ?? '',
    url: host.url,
    folder: `${host.folder}/${of}`,
  });

  function poll(): Promise<PollResult> {
    const pollHead = createPollHead({
      mirror: () => new Mirror(access('poll'), 'main'),
      branch: () => 'main',
      heads: database.store.inbox,
      seen: database.store.polls,
      log: {
        info: (_fields, message) => said.push(message),
        error: (_fields, message) => said.push(message),
      },
    });
    return activityEnvironment().run(pollHead, { repository });
  }

  /** Polls, and waits until what was found has its release. */
  async function pollAndRelease(): Promise<PollResult['answer']> {
    const { answer } = await poll();
    await until(async () => (await known()).inbox.waiting === 0);
    return answer;
  }
  const known = () => database.store.polls.find(repository);
  const commit = (name: string, parents?: string[]) =>
    host.commit({ files: { [name]: name }, message: name, ...(parents ? { parents } : {}) });
  const released = () => starts.map(({ commit: of }) => of);
  const push = (after: string) =>
    database.store.inbox.addEvent({
      repository,
      push: { ref: 'refs/heads/main', before: someCommit(), after },
      body: Buffer.from('{}'),
    });

  it('a head at first sight is released, once, and its release is shown with it', async () => {
    const head = await commit('one');
    expect(await pollAndRelease()).toBe('stored');
    expect(await pollAndRelease()).toBe('released');
    expect(released()).toEqual([head]);
    expect((await known()).head).toMatchObject({
      commit: head,
      releaseId: starts[0]?.releaseId,
    });
  });

  it('commits between two looks resolve to the later one', async () => {
    await commit('one');
    await commit('two');
    const head = await commit('three');
    await pollAndRelease();
    expect(released()).toEqual([head]);
  });

  it('a head that a webhook announced makes one release with it', async () => {
    const head = await commit('one');
    await Promise.all([pollAndRelease(), push(head), push(head)]);
    await until(async () => (await known()).inbox.waiting === 0);
    expect(released()).toEqual([head]);
  });

  it('forced back to a commit that has a release: nothing new', async () => {
    const old = await commit('one');
    await pollAndRelease();
    const head = await commit('two');
    await pollAndRelease();
    await host.git(['update-ref', 'refs/heads/main', old]);
    expect(await pollAndRelease()).toBe('released');
    expect(released()).toEqual([old, head]);
  });

  it('forced sideways or to an orphan: the new head is submitted, its lanes judge the order', async () => {
    const root = await commit('root');
    await commit('left', [root]);
    await pollAndRelease();
    const right = await commit('right', [root]);
    await pollAndRelease();
    const orphan = await commit('orphan', []);
    await pollAndRelease();
    expect(released().slice(1)).toEqual([right, orphan]);
  });

  it('deleted: it says so; recreated: the head is seen again', async () => {
    const head = await commit('one');
    await pollAndRelease();
    await host.git(['update-ref', '-d', 'refs/heads/main']);
    expect(await poll()).toMatchObject({
      answer: 'unreadable',
      cause: { code: 'commit-missing', sentence: 'The repository has no branch "main".' },
    });
    await host.git(['update-ref', 'refs/heads/main', head]);
    expect((await poll()).answer).toBe('released');
    const next = await commit('two');
    await pollAndRelease();
    expect(released()).toEqual([head, next]);
  });

  it('a tag of that name, or another branch that ends alike, is not the branch', async () => {
    const head = await commit('one');
    const other = await host.commit({ files: { two: '2' }, branch: 'feature/main' });
    await host.git(['tag', 'main', other]);
    await host.git(['update-ref', 'refs/heads/refs/heads/main', other]);
    await pollAndRelease();
    expect(released()).toEqual([head]);
  });

  it('another default branch changes nothing', async () => {
    const head = await commit('one');
    await host.commit({ files: { two: '2' }, branch: 'trunk' });
    await host.git(['symbolic-ref', 'HEAD', 'refs/heads/trunk']);
    await pollAndRelease();
    expect(released()).toEqual([head]);
  });

  it.each([
    ['renamed, and the forge redirects', 301, 'correct its url in slipway.yaml'],
    ['gone, or not to be seen', 404, 'not found'],
    ['not ours to read', 403, '403'],
  ])('the repository is %s: the poll says so and follows nowhere', async (_what, status, why) => {
    await commit('one');
    host.intercept = () => Promise.resolve(status);
    expect(await poll()).toMatchObject({
      answer: 'unreadable',
      cause: { code: 'git-auth', sentence: expect.stringContaining(why) as string },
    });
  });

  it('an empty repository has no branch yet', async () => {
    expect(await poll()).toMatchObject({ answer: 'unreadable', cause: { code: 'commit-missing' } });
  });

  it('a forge that is away is said once, shown as long as it lasts, and its end is said', async () => {
    const head = await commit('one');
    await pollAndRelease();
    host.intercept = () => Promise.resolve(503);
    await expect(poll()).rejects.toMatchObject({ code: 'git-unreachable' });
    const { trouble } = await known();
    expect(trouble).toMatchObject({ code: 'git-unreachable' });
    await expect(poll()).rejects.toMatchObject({ code: 'git-unreachable' });
    expect(await known()).toMatchObject({ trouble, head: { commit: head } });
    host.intercept = undefined;
    await poll();
    expect((await known()).trouble).toBeNull();
    expect(said).toEqual(['the branch cannot be read', 'the branch can be read again']);
  });

  it('what was parked because the forge refused is tried again when it can be read again', async () => {
    host.token = 'the new one';
    const head = await commit('one');
    const { id } = await push(head);
    await database.store.inbox.take(1);
    await poll();
    for (let tries = 0; tries < 3; tries += 1) {
      await database.store.inbox.fail([id], 'git refused');
    }
    expect(await known()).toMatchObject({ trouble: { code: 'git-auth' }, inbox: { parked: 1 } });
    host.token = undefined;
    expect(await pollAndRelease()).toBe('waiting');
    expect(released()).toEqual([head]);
  });

  it('what is parked by its own fault stays so, and the poll says it', async () => {
    const head = await commit('one');
    const { id } = await push(head);
    for (let tries = 0; tries < 3; tries += 1) {
      await database.store.inbox.fail([id], 'it is poison');
    }
    expect((await poll()).answer).toBe('parked');
    expect((await poll()).answer).toBe('parked');
    expect((await known()).inbox).toEqual({ waiting: 0, parked: 1 });
  });
});

describe('the schedules', () => {
  let environment: TestWorkflowEnvironment;
  beforeAll(async () => {
    environment = await startDevServer();
  });
  afterAll(() => environment.teardown());

  const schedules = async () => {
    const found: string[] = [];
    for await (const { scheduleId } of environment.client.schedule.list()) found.push(scheduleId);
    return found.sort();
  };
  const set = (...polls: Poll[]) => setPollSchedules(environment.client, polls);
  const describeOne = () => environment.client.schedule.getHandle(pollScheduleId('one')).describe();

  it('follow the configuration: added, changed, removed; others’ stay', async () => {
    await environment.client.schedule.create({
      scheduleId: 'drift/one',
      spec: { intervals: [{ every: '1 day' }] },
      action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none' },
    });
    const one = { repository: 'one', everyMs: 60_000 };
    await set(one, { repository: 'two', everyMs: 60_000 });
    await until(async () => (await schedules()).length === 3);
    // Two servers that start at once.
    await Promise.all([set({ ...one, everyMs: 30_000 }), set({ ...one, everyMs: 30_000 })]);
    await until(async () => (await schedules()).length === 2);
    expect(await schedules()).toEqual(['drift/one', 'poll/one']);
    const { spec, policies } = await describeOne();
    expect(spec).toMatchObject({ intervals: [{ every: 30_000 }], jitter: 3_000 });
    expect(policies.overlap).toBe('SKIP');
    await set();
    await until(async () => (await schedules()).length === 1);
  });

  it('stay paused when a person paused them', async () => {
    const one = { repository: 'one', everyMs: 60_000 };
    await set(one);
    await environment.client.schedule.getHandle(pollScheduleId('one')).pause();
    await set({ ...one, everyMs: 30_000 });
    expect(await describeOne()).toMatchObject({
      state: { paused: true },
      spec: { intervals: [{ every: 30_000 }] },
    });
    await until(async () => (await schedules()).includes('poll/one'));
    await set();
  });

  it('poll at the start of a server, regularly from then on, and also after polls that failed', async () => {
    const seen: string[] = [];
    const pollHead = ({ repository }: { repository: string }) => {
      seen.push(repository);
      return repository === 'broken'
        ? Promise.reject(new Error('the forge is away'))
        : Promise.resolve({ answer: 'released' as const, commit: someCommit() });
    };
    const polls = [
      { repository: 'slow', everyMs: 3_600_000 },
      { repository: 'fast', everyMs: 1_000 },
      { repository: 'broken', everyMs: 1_000 },
    ];
    const count = (of: string) => seen.filter((one) => one === of).length;
    await withWorkers(environment, { service: { pollHead } }, async () => {
      const keeper = keepPolls({
        setSchedules: () => set(...polls),
        lookNow: () => pollNow(environment.client, polls),
        log: { warn: () => undefined },
      });
      // Each failed poll is tried three times.
      await until(() => count('slow') > 0 && count('fast') > 2 && count('broken') > 3);
      await keeper.stop();
      await set();
    });
    expect(count('slow')).toBe(1);
  });
});
