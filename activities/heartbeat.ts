import { Context } from '@temporalio/activity';

const BEAT_MS = 2_000;

/**
 * Runs work under a heartbeat from a timer: without heartbeats no cancellation arrives, and a dead
 * worker would be noticed only when the activity's time is up.
 */
export async function beating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => {
    context.heartbeat();
  }, BEAT_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
