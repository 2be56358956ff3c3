import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { listenForInbox } from '../../src/adapters/postgres/notifications.ts';
import { releaseWorkflowId } from '../../src/contract/workflow/ids.ts';
import type { ReleaseInput } from '../../src/contract/workflow/payloads.ts';
import type { Pusher } from '../../src/adapters/postgres/releases.ts';
import { Refusal, SlipwayError } from '../../src/domain/errors.ts';
import { createRelay, type Relay, type RelayDependencies } from '../../src/main/relay.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { idOf, someCommit, someName, storeRelease } from '../support/records.ts';

let database: TestDatabase;
let relays: Relay[] = [];
/** Every call, and what Temporal would hold by workflow id. */
let starts: ReleaseInput[] = [];
let temporal = { isAway: false };
/** Branch heads by repository; reading one that is not here fails. */
const heads = new Map<string, string>();

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  starts = [];
  alerts = [];
  temporal = { isAway: false };
  await database.db.deleteFrom('inbox').execute();
});
afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  relays = [];
});

/** Repositories whose git does not show yet what was pushed. */
const behind = new Set<string>();
/** Repositories without the branch. */
const gone = new Set<string>();
let alerts: Record<string, unknown>[] = [];

interface RelayOptions {
  inbox?: RelayDependencies['inbox'];
  /** Told how many repositories are in hand when one more is. */
  onInHand?: (count: number) => void;
  /** A repository whose git never answers. */
  hangs?: string;
  aloneMs?: number;
}

function startRelay(options: RelayOptions = {}): Relay & { letGo: () => void } {
  let inHand = 0;
  let letGo: () => void = () => undefined;
  const hanging = new Promise<void>((resolve) => (letGo = resolve));
  const relay = createRelay({
    inbox: options.inbox ?? database.store.inbox,
    ...(options.aloneMs === undefined ? {} : { aloneMs: options.aloneMs }),
    releases: database.store.releases,
    heads: (repository) => {
      const commit = heads.get(repository);
      if (gone.has(repository)) {
        return Promise.reject(new SlipwayError('commit-missing', 'There is no branch "main".'));
      }
      return commit === undefined
        ? Promise.reject(new SlipwayError('git-unreachable', `${repository} cannot be read`))
        : Promise.resolve({ commit });
    },
    holds: (repository) => Promise.resolve(!behind.has(repository)),
    startRelease: async (input) => {
      options.onInHand?.((inHand += 1));
      if (input.repository === options.hangs) await hanging;
      await delay(20);
      inHand -= 1;
      if (temporal.isAway) throw new Refusal('unavailable', 'Temporal is away');
      starts.push(input);
    },
    listen: (onNotify) => listenForInbox({ url: database.url, onNotify }),
    log: { warn: () => undefined, error: (fields) => alerts.push(fields) },
    sweepMs: 50,
  });
  relays.push(relay);
  return { ...relay, letGo };
}

function push(repository: string, sender?: Pusher) {
  return database.store.inbox.addEvent({
    repository,
    push: { ref: 'refs/heads/main', before: someCommit(), after: someCommit() },
    body: Buffer.from('{}'),
    ...(sender ? { sender } : {}),
  });
}

/** A repository whose branch points at some commit. */
function repositoryWithHead(): string {
  const repository = someName('repository');
  heads.set(repository, someCommit());
  return repository;
}

const row = (id: string) =>
  database.db.selectFrom('inbox').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

async function allDone(): Promise<void> {
  await vi.waitFor(
    async () => {
      const open = await database.db
        .selectFrom('inbox')
        .select('id')
        .where('done_at', 'is', null)
        .execute();
      expect(open).toEqual([]);
    },
    { timeout: 10_000, interval: 20 },
  );
}

/** Rows that wait for their next try need not be waited for in a test. */
async function makeDue(): Promise<void> {
  await database.db
    .updateTable('inbox')
    .set({ next_try_at: sql<Date>`now()` })
    .execute();
}

function started(): string[] {
  return starts.map(({ repository, commit, run }) => releaseWorkflowId(repository, commit, run));
}

describe('a push', () => {
  it('starts a release of the branch’s head, not of what the event says', async () => {
    const repository = repositoryWithHead();
    startRelay();
    const { id } = await push(repository);
    await allDone();
    const commit = heads.get(repository);
    expect(starts).toMatchObject([{ repository, commit, run: 0, kind: 'automatic', force: false }]);
    expect((await row(id)).release_id).toBe(starts[0]?.releaseId);
  });

  it('waits until git shows what was pushed, which may come after the webhook', async () => {
    const repository = repositoryWithHead();
    behind.add(repository);
    startRelay();
    const { id } = await push(repository);
    await vi.waitFor(async () => {
      expect((await row(id)).last_error).toContain('does not show');
    });
    expect(starts).toEqual([]);
    behind.delete(repository);
    await makeDue();
    await allDone();
    expect(starts).toMatchObject([{ repository, commit: heads.get(repository) }]);
  });

  it('is one of many that one look at the branch answers', async () => {
    const repository = repositoryWithHead();
    const pushes = await Promise.all(Array.from({ length: 5 }, () => push(repository)));
    startRelay();
    await allDone();
    expect(new Set(started()).size).toBe(1);
    for (const { id } of pushes) expect((await row(id)).release_id).toBe(starts[0]?.releaseId);
  });

  it('of a head that was released already starts nothing and names the release', async () => {
    const repository = repositoryWithHead();
    startRelay();
    await push(repository);
    await allDone();
    const again = await push(repository);
    await allDone();
    expect(starts).toHaveLength(1);
    expect((await row(again.id)).release_id).toBe(starts[0]?.releaseId);
  });

  it('waits while Temporal is away; nothing is lost and nothing doubled', async () => {
    temporal.isAway = true;
    const repositories = Array.from({ length: 5 }, repositoryWithHead);
    startRelay();
    const pushes = await Promise.all(repositories.map((name) => push(name)));
    await vi.waitFor(async () => {
      for (const { id } of pushes) expect((await row(id)).last_error).toBe('Temporal is away');
    });
    temporal.isAway = false;
    await makeDue();
    await allDone();
    expect(started().sort()).toEqual(
      repositories.map((name) => releaseWorkflowId(name, heads.get(name) ?? '', 0)).sort(),
    );
  });

  it('whose start failed keeps its release when the branch moves on meanwhile', async () => {
    const repository = repositoryWithHead();
    const older = heads.get(repository);
    temporal.isAway = true;
    startRelay();
    const first = await push(repository);
    await vi.waitFor(async () => {
      expect((await row(first.id)).last_error).toBe('Temporal is away');
    });
    heads.set(repository, someCommit());
    const second = await push(repository);
    await vi.waitFor(async () => {
      expect((await row(second.id)).last_error).toBe('Temporal is away');
    });
    temporal.isAway = false;
    await makeDue();
    await allDone();
    expect(starts.map(({ commit }) => commit).sort()).toEqual(
      [older, heads.get(repository)].sort(),
    );
    const forgotten = await database.db
      .selectFrom('releases')
      .select('id')
      .where('repository', '=', repository)
      .where('handed_over_at', 'is', null)
      .execute();
    expect(forgotten).toEqual([]);
  });

  it('of a repository that cannot be read holds up no other', async () => {
    const broken = await push(someName('broken'));
    const repository = repositoryWithHead();
    startRelay();
    const { id } = await push(repository);
    await vi.waitFor(async () => {
      expect((await row(id)).done_at).not.toBeNull();
      expect((await row(broken.id)).last_error).toContain('cannot be read');
    });
    expect(starts).toHaveLength(1);
  });
});

describe('a push that can never be released', () => {
  it('is parked after three failures with an alert; the others go on', async () => {
    const broken = someName('broken');
    gone.add(broken);
    const { id } = await push(broken);
    startRelay();
    await vi.waitFor(
      async () => {
        await makeDue();
        expect((await row(id)).parked_at).not.toBeNull();
      },
      { timeout: 10_000 },
    );
    expect(await row(id)).toMatchObject({ tries: 3, last_error: 'There is no branch "main".' });
    expect(alerts).toMatchObject([{ ids: [id], repository: broken }]);

    const repository = repositoryWithHead();
    const next = await push(repository);
    await vi.waitFor(async () => {
      expect((await row(next.id)).done_at).not.toBeNull();
    });
    expect((await row(id)).tries).toBe(3);
  });
});

describe('a push whose server ended while it was tried', () => {
  /** As a process that was killed leaves it. */
  const abandon = (ids: string[]) =>
    database.db
      .updateTable('inbox')
      .set({ claimed_until: sql<Date>`now() - interval '1 second'` })
      .where('id', 'in', ids)
      .execute();

  it('is released by another one', async () => {
    const { id } = await push(repositoryWithHead());
    await abandon([id]);
    startRelay();
    await vi.waitFor(async () => {
      await makeDue();
      expect((await row(id)).done_at).not.toBeNull();
    });
    expect(await row(id)).toMatchObject({ failures: 1 });
  });

  it('is tried with nothing else beside it', async () => {
    const suspects = await Promise.all([1, 2, 3].map(() => push(repositoryWithHead())));
    await abandon(suspects.map(({ id }) => id));
    await database.store.inbox.countAbandoned();
    await Promise.all([1, 2, 3].map(() => push(repositoryWithHead())));
    await makeDue();
    const together: number[] = [];
    startRelay({ onInHand: (count) => together.push(count) });
    await allDone();
    // The suspects come first, one by one.
    expect(together.slice(0, 3)).toEqual([1, 1, 1]);
    expect(together).toHaveLength(6);
  });

  it('holds up the others only for a while when it hangs', async () => {
    const hanging = repositoryWithHead();
    const { id } = await push(hanging);
    await abandon([id]);
    await database.store.inbox.countAbandoned();
    const { id: next } = await push(repositoryWithHead());
    await makeDue();
    const relay = startRelay({ hangs: hanging, aloneMs: 50 });
    await vi.waitFor(async () => {
      expect((await row(next)).done_at).not.toBeNull();
    });
    expect((await row(id)).done_at).toBeNull();
    relay.letGo();
  });

  it('is parked with an alert when that happens three times', async () => {
    const { id } = await push(repositoryWithHead());
    await database.db.updateTable('inbox').set({ failures: 2 }).where('id', '=', id).execute();
    await abandon([id]);
    startRelay();
    await vi.waitFor(async () => {
      expect((await row(id)).parked_at).not.toBeNull();
    });
    expect(alerts).toMatchObject([{ ids: [id] }]);
    expect(starts).toEqual([]);
  });
});

describe('PostgreSQL that goes away while a row is in hand', () => {
  it('costs the row no try: it is given back later', async () => {
    const { inbox } = database.store;
    const { id } = await push(someName('broken'));
    let outages = 3;
    startRelay({
      inbox: {
        ...inbox,
        retryLater: async (ids, reason) => {
          if (outages-- > 0) throw new Refusal('unavailable', 'PostgreSQL is away');
          await inbox.retryLater(ids, reason);
        },
      },
    });
    await vi.waitFor(async () => {
      expect(await row(id)).toMatchObject({ claimed_until: null, failures: 0, tries: 1 });
    });
  });
});

it('who pushed is known with the release, also when several did', async () => {
  const repository = repositoryWithHead();
  for (const [forgeUser, login] of [
    ['github:1', 'ada'],
    ['github:2', 'grace'],
    ['github:1', 'ada'],
  ] as const) {
    await push(repository, { forgeUser, login });
  }
  startRelay();
  await allDone();
  const pushers = await database.db
    .selectFrom('pushers')
    .select(['forge_user', 'login'])
    .where('release_id', '=', starts[0]?.releaseId ?? '')
    .orderBy('forge_user')
    .execute();
  expect(pushers).toEqual([
    { forge_user: 'github:1', login: 'ada' },
    { forge_user: 'github:2', login: 'grace' },
  ]);
});

describe('a run that a person asked for', () => {
  it('starts with what was asked', async () => {
    const asked = { actor: 'ada', requestId: 'r' };
    const repository = someName('repository');
    const commit = someCommit();
    const { id } = await database.store.releases.request({ repository, commit, ...asked });
    startRelay();
    await allDone();
    await database.store.deployments.createForRun({
      releaseId: id,
      run: 0,
      kind: 'manual',
      title: '',
      author: '',
      committedAt: '2026-01-02T03:04:05Z',
      targets: [],
    });
    await database.store.releases.addRun({
      releaseId: id,
      environments: ['cs-qa'],
      force: true,
      ...asked,
    });
    await allDone();
    expect(starts).toMatchObject([
      { releaseId: id, commit, run: 0, kind: 'manual', force: false },
      { releaseId: id, commit, run: 1, kind: 'manual', force: true, environments: ['cs-qa'] },
    ]);
    expect(starts[0]).not.toHaveProperty('environments');
  });
});

it('a rollback starts as one, in its environment alone', async () => {
  const { store } = database;
  const { release, repository, deployments } = await storeRelease(store);
  const deploymentId = idOf(deployments, 'cs-dev');
  const end = { deploymentId, environment: 'cs-dev', phase: 'succeeded', attempt: 1 } as const;
  await store.deployments.recordOutcome(end);
  const asked = { actor: 'ada', requestId: 'r', to: release.id, reason: 'Orders fail' };
  await store.rollbacks.order({ repository, name: 'cs-dev', ...asked });
  startRelay();
  await allDone();
  expect(starts).toMatchObject([
    { releaseId: release.id, run: 1, kind: 'rollback', force: false, environments: ['cs-dev'] },
  ]);
});

describe('several relays', () => {
  it('share the rows: each head is released once', async () => {
    const repositories = Array.from({ length: 30 }, repositoryWithHead);
    for (const repository of repositories) await push(repository);
    startRelay();
    startRelay();
    await allDone();
    expect(starts).toHaveLength(30);
    expect(new Set(started()).size).toBe(30);
  });

  it('that stop finish what they have in hand', async () => {
    const repository = repositoryWithHead();
    await push(repository);
    let arrived: () => void = () => undefined;
    const inHand = new Promise<void>((resolve) => (arrived = resolve));
    let goOn: () => void = () => undefined;
    const relay = createRelay({
      inbox: database.store.inbox,
      releases: database.store.releases,
      heads: () => Promise.resolve({ commit: heads.get(repository) ?? '' }),
      holds: () => Promise.resolve(true),
      startRelease: () => {
        arrived();
        return new Promise((resolve) => (goOn = resolve));
      },
      listen: () => ({ close: () => Promise.resolve() }),
      log: { warn: () => undefined, error: () => undefined },
    });
    await inHand;
    const stopped = relay.stop();
    goOn();
    await stopped;
    await allDone();
  });
});
