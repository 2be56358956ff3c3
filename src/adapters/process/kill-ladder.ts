import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds after which each step of the ladder is taken; design section 8. */
export interface KillLadder {
  groupTermMs: number;
  groupKillMs: number;
  /** What the leader gets at once. Default SIGTERM. */
  leaderSignal?: NodeJS.Signals;
}

export const DEFAULT_LADDER: KillLadder = { groupTermMs: 8_000, groupKillMs: 13_000 };

/**
 * Ends a process that leads its own group, and everything it started, and returns when none is left.
 * The first signal goes to the leader alone: helmfile passes it on to each helm, and a helm that is
 * signalled twice gives up without writing its release's end.
 */
export async function endProcessGroup(
  pid: number,
  ladder: KillLadder = DEFAULT_LADDER,
): Promise<void> {
  const started = Date.now();
  const steps: { atMs: number; target: number; signal: NodeJS.Signals }[] = [
    { atMs: 0, target: pid, signal: ladder.leaderSignal ?? 'SIGTERM' },
    { atMs: ladder.groupTermMs, target: -pid, signal: 'SIGTERM' },
    { atMs: ladder.groupKillMs, target: -pid, signal: 'SIGKILL' },
  ];
  while (isGroupAlive(pid)) {
    const next = steps[0];
    if (next && Date.now() - started >= next.atMs) {
      steps.shift();
      signalQuietly(next.target, next.signal);
    }
    await delay(20);
  }
}

function isGroupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signalQuietly(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // Already gone, which is what was wanted.
  }
}
