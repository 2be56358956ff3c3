import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { signalQuietly } from '../../adapters/process/kill-ladder.ts';

/** The variable that marks every process of a platform, and whatever that process starts. */
export const PLATFORM_VARIABLE = 'SLIPWAY_PLATFORM';

/**
 * The living processes that were started with this platform's mark. Empty where there is no /proc:
 * only processes that were registered by number can be found there.
 */
export function platformPids(platformId: string): number[] {
  const mark = `${PLATFORM_VARIABLE}=${platformId}`;
  return processNumbers().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
    } catch {
      return false;
    }
  });
}

/**
 * The living processes of Slipway's attempts that work below this folder. Their environment is exact and
 * carries no mark of the platform, and they outlive a worker that is killed.
 */
export function attemptPids(folder: string): number[] {
  return processNumbers().filter((pid) => {
    try {
      return (
        readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`) &&
        readFileSync(`/proc/${pid}/environ`, 'utf8').includes('SLIPWAY_ATTEMPT=')
      );
    } catch {
      return false;
    }
  });
}

/** Whether a process with this number exists and is not just waiting to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process may not be signalled, but it lives.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The state follows the program's name, which is in brackets and may hold anything.
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return true;
  }
}

/** Sends each process its signal, then SIGKILL to those that live on after `graceMs`. */
export async function endProcesses(
  signals: ReadonlyMap<number, NodeJS.Signals>,
  graceMs: number,
): Promise<void> {
  for (const [pid, signal] of signals) signalQuietly(pid, signal);
  const killAt = Date.now() + graceMs;
  let left = [...signals.keys()].filter(isAlive);
  while (left.length > 0 && Date.now() < killAt) {
    await delay(25);
    left = left.filter(isAlive);
  }
  for (const pid of left) signalQuietly(pid, 'SIGKILL');
}

function processNumbers(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
