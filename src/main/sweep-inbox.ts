import type { Store } from '../adapters/postgres/store.ts';
import { repeat } from './repeat.ts';

const EVERY_MS = 3_600_000;

/** Few enough that a webhook never waits for them. */
const BATCH = 500;

/** Removes events that were kept long enough, at once and then each hour, in small batches. */
export function sweepInbox(deps: {
  inbox: Pick<Store['inboxEntries'], 'sweep'>;
  keepDays: number;
  log: { warn: (fields: Record<string, unknown>, message: string) => void };
}): { stop: () => Promise<void> } {
  return repeat(async (signal) => {
    try {
      let removed = BATCH;
      while (removed === BATCH && !signal.aborted) {
        removed = await deps.inbox.sweep({ keepDays: deps.keepDays, limit: BATCH });
      }
    } catch (error) {
      deps.log.warn({ err: error }, 'old events were not removed');
    }
    return EVERY_MS;
  });
}
