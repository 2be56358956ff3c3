import type { InboxRow } from '../adapters/postgres/inbox.ts';
import type { Store } from '../adapters/postgres/store.ts';
import type { ReleaseInput } from '../contract/workflow/payloads.ts';
import { passesByItself } from '../domain/errors.ts';

/** At most so many rows or repositories in hand, so that a forge that hangs holds up only its own. */
const IN_HAND_MAX = 16;

/** A notification can get lost with its connection, and rows become due by themselves. */
const SWEEP_MS = 5_000;

export interface RelayDependencies {
  inbox: Pick<Store['inbox'], 'take' | 'done' | 'retryLater' | 'fail'>;
  releases: Pick<Store['releases'], 'upsert' | 'handle'>;
  /** Reads the tip of the repository's branch from git. */
  heads: (repository: string) => Promise<{ commit: string }>;
  /** Whether the branch at this head holds the commit. */
  holds: (repository: string, head: string, commit: string) => Promise<boolean>;
  /** Starts the workflow; one that was started already counts as done. */
  startRelease: (input: ReleaseInput) => Promise<void>;
  /** Calls back when something came in. */
  listen: (onNotify: () => void) => { close: () => Promise<void> };
  log: Record<'warn' | 'error', (fields: Record<string, unknown>, message: string) => void>;
  sweepMs?: number;
}

export interface Relay {
  /** Takes no more rows and waits for those in hand. */
  stop: () => Promise<void>;
}

/**
 * Turns what came into the inbox into started releases. Requests only write rows and never wait for
 * Temporal or git; while one of those is away the rows wait. Several relays share the inbox, and a row
 * that is handled twice starts nothing twice.
 */
export function createRelay(deps: RelayDependencies): Relay {
  const inHand = new Set<Promise<void>>();
  const alarm = createAlarm(deps.sweepMs ?? SWEEP_MS);
  const listener = deps.listen(alarm.ring);
  let stopping = false;

  const loop = async () => {
    while (!stopping) {
      const room = IN_HAND_MAX - inHand.size;
      const rows = room > 0 ? await take(room) : [];
      for (const rowsOfOne of together(rows)) hold(handle(deps, rowsOfOne));
      if (room === 0 || rows.length < room) await alarm.wait();
    }
  };

  async function take(limit: number): Promise<InboxRow[]> {
    try {
      return await deps.inbox.take(limit);
    } catch (error) {
      deps.log.warn({ err: error }, 'the inbox cannot be read');
      return [];
    }
  }

  function hold(work: Promise<void>): void {
    const held = work.finally(() => {
      // Rows were left where they are when there was no room.
      if (inHand.size >= IN_HAND_MAX) alarm.ring();
      inHand.delete(held);
    });
    inHand.add(held);
  }

  const looping = loop();
  return {
    stop: async () => {
      stopping = true;
      alarm.ring();
      await listener.close();
      await looping;
      await Promise.all(inHand);
    },
  };
}

/** Rows that one look at one branch answers stay together; what a person asked for stands alone. */
function together(rows: readonly InboxRow[]): InboxRow[][] {
  const asked = rows.filter(({ request }) => request);
  const pushed = rows.filter(({ request }) => !request);
  const repositories = new Set(pushed.map(({ repository }) => repository));
  return [
    ...asked.map((row) => [row]),
    ...[...repositories].map((name) => pushed.filter(({ repository }) => repository === name)),
  ];
}

async function handle(deps: RelayDependencies, rows: readonly InboxRow[]): Promise<void> {
  const ids = rows.map(({ id }) => id);
  const [first] = rows;
  if (!first) return;
  try {
    const releaseId = first.request
      ? await startRun(deps, first.request)
      : await startHead(deps, rows);
    if (releaseId !== undefined) await deps.inbox.done(ids, releaseId);
    else await deps.inbox.retryLater(ids, 'git does not show the pushed commit yet');
  } catch (error) {
    deps.log.warn({ err: error, repository: first.repository, ids }, 'a release was not started');
    // When this fails too, the rows become free by themselves after a while.
    await giveBack(deps, rows, error).catch(() => {
      deps.log.warn({ ids }, 'rows of the inbox were not given back');
    });
  }
}

/** Rows wait as long as a neighbour is away; what they fail at by themselves they fail at three times only. */
async function giveBack(
  deps: RelayDependencies,
  rows: readonly InboxRow[],
  error: unknown,
): Promise<void> {
  const ids = rows.map(({ id }) => id);
  const reason = error instanceof Error ? error.message : '';
  if (passesByItself(error)) return deps.inbox.retryLater(ids, reason);
  const parked = await deps.inbox.fail(ids, reason);
  if (parked.length === 0) return;
  const fields = { repository: rows[0]?.repository, ids: parked, reason };
  deps.log.error(fields, 'events are parked after three failures: GET /api/v1/inbox?state=parked');
}

/** With their growing pauses about two minutes, in which a forge's git catches up with its webhooks. */
const TRIES_UNTIL_SHOWN = 7;

/**
 * Releases the commit that the branch points at now; nothing of the event but the repository counts.
 * Answers nothing while git does not show what was pushed: it would be lost with the row.
 */
async function startHead(
  deps: RelayDependencies,
  rows: readonly InboxRow[],
): Promise<string | undefined> {
  const repository = rows[0]?.repository ?? '';
  const { commit } = await deps.heads(repository);
  for (const { after, tries } of rows) {
    if (after === undefined || after === commit || tries >= TRIES_UNTIL_SHOWN) continue;
    if (!(await deps.holds(repository, commit, after))) return undefined;
  }
  const { release } = await deps.releases.upsert({
    ...{ repository, commit, kind: 'automatic' },
    pushers: rows.flatMap(({ sender }) => sender ?? []),
  });
  // Temporal forgets ended workflows, so it alone would start an old head again.
  if (!release.handedOver) {
    const { id: releaseId, number: releaseNumber, kind } = release;
    await deps.startRelease({
      releaseId,
      releaseNumber,
      repository,
      commit,
      run: 0,
      kind,
      force: false,
    });
  }
  return release.id;
}

/** Starts the run that a person asked for. */
async function startRun(
  deps: RelayDependencies,
  request: NonNullable<InboxRow['request']>,
): Promise<string> {
  const { releaseId, run, kind, force, environments } = request;
  const release = await deps.releases.handle(releaseId);
  if (!release) throw new Error(`release ${releaseId} is not in the store`);
  const { number: releaseNumber, repository, commit } = release;
  await deps.startRelease({
    releaseId,
    releaseNumber,
    repository,
    commit,
    run,
    kind,
    force,
    ...(environments ? { environments } : {}),
  });
  return releaseId;
}

/** Waits until it is rung or the time is up; a ring while nobody waits ends the next wait at once. */
function createAlarm(timeoutMs: number): { ring: () => void; wait: () => Promise<void> } {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    wait: async () => {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      rung = false;
      wake = undefined;
    },
  };
}
