import { SlipwayError } from '../../domain/errors.ts';
import type { LeaseTiming } from '../../domain/lost-worker.ts';

/** After a renewal that failed. */
const AGAIN_MS = 2_000;

export interface Renewal {
  /** Aborts when the Lease was taken by somebody else, or could not be renewed for long. */
  lost: AbortSignal;
  stop: () => void;
}

/**
 * Renews a Lease again and again.
 *
 * @param takenAt by this process's clock, before the request that took it
 * @param renew throws `helm-locked` when somebody else has it
 */
export function keepRenewed(
  takenAt: number,
  { renewMs, giveUpMs }: LeaseTiming,
  renew: () => Promise<void>,
): Renewal {
  const lost = new AbortController();
  let deadline: NodeJS.Timeout;
  let next: NodeJS.Timeout;
  let stopped = false;
  writtenAt(takenAt);
  comeBackIn(renewMs);
  return {
    lost: lost.signal,
    stop: () => {
      stopped = true;
      clearTimeout(next);
      clearTimeout(deadline);
    },
  };

  /** Counted from before the request: others count from when they see what it wrote. */
  function writtenAt(at: number): void {
    clearTimeout(deadline);
    deadline = setTimeout(
      () => {
        lost.abort(new SlipwayError('cluster-unreachable', 'The Lease could not be renewed.'));
      },
      at + giveUpMs - performance.now(),
    );
  }

  function comeBackIn(ms: number): void {
    next = setTimeout(() => void renewOnce(), ms);
  }

  async function renewOnce(): Promise<void> {
    const askedAt = performance.now();
    const failed = await renew().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (stopped) return;
    if (failed === undefined) writtenAt(askedAt);
    else if (failed instanceof SlipwayError && failed.code === 'helm-locked') lost.abort(failed);
    comeBackIn(failed === undefined ? renewMs : Math.min(AGAIN_MS, renewMs));
  }
}
