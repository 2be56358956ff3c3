/**
 * How long it takes until another worker may go on where one was lost without a word. The numbers depend
 * on each other: together they keep the promise that a crash is mended within two minutes.
 */

/** A process may be silent for so long: a restart of Temporal takes less, and must not stop an apply. */
export const CHANGE_HEARTBEAT_MS = 60_000;

/** How an environment's Lease is kept. */
export interface LeaseTiming {
  /** Silent for so long, it may be taken from a holder whose end is proved. */
  durationMs: number;
  renewMs: number;
  /** Not renewed for so long, its holder ends its own processes, before the duration is over. */
  giveUpMs: number;
}

export const LEASE_TIMING: LeaseTiming = { durationMs: 40_000, renewMs: 8_000, giveUpMs: 24_000 };

/** Who waits for a holder to be silent looks again at least so often. */
export const LOOK_AGAIN_MS = 5_000;
