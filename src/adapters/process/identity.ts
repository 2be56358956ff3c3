import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../../domain/lease.ts';

/** Who this process is, for others to tell whether it still runs. Linux knows; elsewhere only the host. */
export function ownIdentity(): ProcessIdentity {
  return {
    host: hostname(),
    place: placeOf(),
    pid: process.pid,
    startedTicks: startedTicks(process.pid) ?? '0',
  };
}

/** Whether a process of this very place still runs. */
export function isRunning({ pid, startedTicks: ticks }: ProcessIdentity): boolean {
  return startedTicks(pid) === ticks;
}

function placeOf(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
    return `${boot}-${namespace}`;
  } catch {
    // Without /proc nobody can look at another's process: every place is its own.
    return `unknown-${process.pid}`;
  }
}

/** Field 22 of /proc/<pid>/stat; the second field is a name in parentheses that may hold anything. */
function startedTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
