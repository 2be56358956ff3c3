import { setTimeout as delay } from 'node:timers/promises';
import { RENEW_MS, type InboxRow } from '../adapters/postgres/inbox-claims.ts';
import type { Store } from '../adapters/postgres/store.ts';
import { passesByItself } from '../domain/errors.ts';
import { createAlarm } from './alarm.ts';
import { handOver, together, type HandOverDependencies } from './hand-over.ts';

/** At most so many rows or repositories in hand, so that a forge that hangs holds up only its own. */
const IN_HAND_MAX = 16;

/** A notification can get lost with its connection, and rows become due by themselves. */
const SWEEP_MS = 5_000;

/** Whoever is tried alone is waited for so long only: it may hang instead of ending the process. */
const ALONE_MS = 10_000;

export interface RelayDependencies extends HandOverDependencies {
  inbox: Pick<
    Store['inbox'],
    'take' | 'takeAlone' | 'countAbandoned' | 'renew' | 'done' | 'retryLater' | 'fail'
  >;
  /** Calls back when something came in. */
  listen: (onNotify: () => void) => { close: () => Promise<void> };
  log: Record<'warn' | 'error', (fields: Record<string, unknown>, message: string) => void>;
  sweepMs?: number;
  aloneMs?: number;
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
  const { sweepMs = SWEEP_MS, aloneMs = ALONE_MS } = deps;
  const inHand = new Map<Promise<void>, readonly InboxRow[]>();
  const alarm = createAlarm(sweepMs);
  const listener = deps.listen(alarm.ring);
  const stopping = new AbortController();
  const { signal } = stopping;

  const loop = async () => {
    let sweptAt = -Infinity;
    while (!signal.aborted) {
      if (performance.now() - sweptAt >= sweepMs) {
        await orNothing(tryAlone);
        sweptAt = performance.now();
      }
      const room = IN_HAND_MAX - inHand.size;
      const rows = room > 0 ? await orNothing(() => deps.inbox.take(room)) : [];
      for (const rowsOfOne of together(rows)) void hold(rowsOfOne);
      if (room === 0 || rows.length < room) await alarm.wait();
    }
  };

  /** A row that ended its process would, tried beside others, make these look as if they had. */
  async function tryAlone(): Promise<never[]> {
    tellParked(deps, await deps.inbox.countAbandoned());
    for (;;) {
      await Promise.race([Promise.all(inHand.keys()), pause(aloneMs)]);
      const rows = signal.aborted ? [] : await deps.inbox.takeAlone();
      if (rows.length === 0) return [];
      const hangs = pause(aloneMs);
      if (await Promise.race([hold(rows).then(() => false), hangs])) return [];
    }
  }

  async function orNothing(look: () => Promise<InboxRow[]>): Promise<InboxRow[]> {
    try {
      return await look();
    } catch (error) {
      deps.log.warn({ err: error }, 'the inbox cannot be read');
      return [];
    }
  }

  function hold(rows: readonly InboxRow[]): Promise<void> {
    const held = handle(deps, rows, pause).finally(() => {
      // Rows were left where they are when there was no room.
      if (inHand.size >= IN_HAND_MAX) alarm.ring();
      inHand.delete(held);
    });
    inHand.set(held, rows);
    return held;
  }

  /** Waits so long, or until the relay is told to stop; answers whether to go on. */
  async function pause(ms: number): Promise<boolean> {
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
    return !signal.aborted;
  }

  const renewing = setInterval(() => {
    const ids = [...inHand.values()].flat().map(({ id }) => id);
    if (ids.length === 0) return;
    deps.inbox.renew(ids).catch((error: unknown) => {
      deps.log.warn({ err: error }, 'rows of the inbox in hand could not be kept');
    });
  }, RENEW_MS);
  const looping = loop();
  return {
    stop: async () => {
      stopping.abort();
      alarm.ring();
      await listener.close();
      await looping;
      await Promise.all(inHand.keys());
      clearInterval(renewing);
    },
  };
}

async function handle(
  deps: RelayDependencies,
  rows: readonly InboxRow[],
  pause: (ms: number) => Promise<boolean>,
): Promise<void> {
  const ids = rows.map(({ id }) => id);
  try {
    const releaseId = await handOver(deps, rows);
    if (releaseId !== undefined) await deps.inbox.done(ids, releaseId);
    else await deps.inbox.retryLater(ids, 'git does not show the pushed commit yet');
  } catch (error) {
    const repository = rows[0]?.repository;
    deps.log.warn({ err: error, repository, ids }, 'a release was not started');
    // Rows that nobody gives back count as tries that ended their process.
    for (let given = false; !given;) {
      try {
        await giveBack(deps, rows, error);
        given = true;
      } catch {
        deps.log.warn({ ids }, 'rows of the inbox were not given back');
        given = !(await pause(deps.sweepMs ?? SWEEP_MS));
      }
    }
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
  tellParked(deps, await deps.inbox.fail(ids, reason), {
    repository: rows[0]?.repository,
    reason,
  });
}

function tellParked(
  deps: Pick<RelayDependencies, 'log'>,
  ids: readonly string[],
  more: Record<string, unknown> = {},
): void {
  if (ids.length === 0) return;
  deps.log.error(
    { ids, ...more },
    'events are parked after three failures: GET /api/v1/inbox?state=parked',
  );
}
