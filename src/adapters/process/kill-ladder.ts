import { readdirSync, readFileSync } from 'node:fs';
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
  while (groupExists(pid)) {
    const next = steps[0];
    if (next && Date.now() - started >= next.atMs) {
      steps.shift();
      signalQuietly(next.target, next.signal);
    } else if (!hasLivingMember(pid)) {
      return;
    }
    await delay(Date.now() - started < 500 ? 20 : 100);
  }
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether one of the group still runs: a dead process that nobody has reaped keeps its group in
 * existence, and where process 1 of a container reaps nothing that is for ever.
 */
function hasLivingMember(groupId: number): boolean {
  try {
    return readdirSync('/proc').some((name) => /^\d+$/.test(name) && runsIn(groupId, name));
  } catch {
    // Without /proc only the group's existence can be asked for.
    return true;
  }
}

function runsIn(groupId: number, pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name is in brackets and may hold anything; state, parent and group follow it.
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(group) === groupId && state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}

/** Sends a signal to a process, or to a group as a negative number; one that is gone needs none. */
export function signalQuietly(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // Already gone, which is what was wanted.
  }
}
