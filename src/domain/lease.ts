/** Who holds an environment's Lease: one operation of one attempt, in one process. */
export interface Holder {
  deploymentId: string;
  attempt: number;
  operation: 'apply' | 'rollback';
  process: ProcessIdentity;
}

/** Names a process so that nobody else's can be taken for it, also after a restart of the machine. */
export interface ProcessIdentity {
  host: string;
  /** The boot of the machine and the PID namespace: within one, a pid means one process. */
  place: string;
  pid: number;
  /** When the process started, in the kernel's own ticks: pids are used again, this pair is not. */
  startedTicks: string;
}

export interface LeaseFacts {
  holder: string;
  /** How long nobody has renewed it, by the observer's own clock. */
  silentMs: number;
  durationMs: number;
}

export type HolderJudgement =
  | { holder: 'none' }
  /** Renewed lately, or its process was seen. */
  | { holder: 'alive'; who: string }
  /** Its processes may be ended, and its Lease taken. */
  | { holder: 'dead' }
  /** Silent, but nobody here can tell whether its process still writes. */
  | { holder: 'unknown'; who: string };

/** The holder's text in the Lease. */
export function formatHolder({ deploymentId, attempt, operation, process }: Holder): string {
  const { host, place, pid, startedTicks } = process;
  return [deploymentId, attempt, operation, host, place, pid, startedTicks].join('/');
}

/** Reads a holder's text; undefined when somebody else wrote it. */
export function parseHolder(text: string): Holder | undefined {
  const match = /^([^/]+)\/(\d+)\/(apply|rollback)\/([^/]+)\/([^/]+)\/(\d+)\/(\d+)$/.exec(text);
  if (!match) return undefined;
  const [, deploymentId = '', attempt, operation, host = '', place = '', pid, ticks = ''] = match;
  return {
    deploymentId,
    attempt: Number(attempt),
    operation: operation as Holder['operation'],
    process: { host, place, pid: Number(pid), startedTicks: ticks },
  };
}

/**
 * Judges whether the holder of a Lease is proved dead. Silence alone proves nothing: a worker that is cut
 * off may still write. Proof is that its process is gone from the place where this one can look, or that
 * the place itself is gone.
 *
 * @param me the process that asks
 * @param isRunning whether a process of my own place still runs
 */
export function judgeHolder(
  lease: LeaseFacts | undefined,
  me: ProcessIdentity,
  isRunning: (process: ProcessIdentity) => boolean,
): HolderJudgement {
  if (!lease || lease.holder === '') return { holder: 'none' };
  const holder = parseHolder(lease.holder);
  const silent = lease.silentMs >= lease.durationMs;
  if (!holder) return { holder: silent ? 'unknown' : 'alive', who: lease.holder };
  const { host, place, pid } = holder.process;
  const who = `${holder.operation} of ${holder.deploymentId}, attempt ${holder.attempt}, process ${pid} on ${host}`;
  if (place === me.place) {
    return isRunning(holder.process) ? { holder: 'alive', who } : { holder: 'dead' };
  }
  if (!silent) return { holder: 'alive', who };
  // The same host under another boot or PID namespace: the old one ended with all its processes.
  return host === me.host ? { holder: 'dead' } : { holder: 'unknown', who };
}
