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
  /** The pod that it runs in, where that is a pod of the very cluster it releases to. */
  pod?: PodIdentity;
}

/** A pod's name may come again, its uid does not. */
export interface PodIdentity {
  namespace: string;
  name: string;
  uid: string;
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
  /** Silent, but nobody here can tell whether its process still writes; dead if its pod is gone. */
  | { holder: 'unknown'; who: string; pod?: PodIdentity };

/** The holder's text in the Lease. */
export function formatHolder({ deploymentId, attempt, operation, process }: Holder): string {
  const { host, place, pid, startedTicks, pod } = process;
  const ofPod = pod ? [pod.namespace, pod.name, pod.uid] : [];
  return [deploymentId, attempt, operation, host, place, pid, startedTicks, ...ofPod].join('/');
}

/** Reads a holder's text; undefined when somebody else wrote it. */
export function parseHolder(text: string): Holder | undefined {
  const parts = text.split('/');
  const [deploymentId, attempt, operation, host, place, pid, ticks, namespace, name, uid] = parts;
  if (!deploymentId || !host || !place || !isNumber(attempt) || !isNumber(pid)) return undefined;
  if (!isNumber(ticks) || (operation !== 'apply' && operation !== 'rollback')) return undefined;
  if (parts.length !== 7 && (parts.length !== 10 || !namespace || !name || !uid)) return undefined;
  const pod = namespace && name && uid ? { pod: { namespace, name, uid } } : {};
  return {
    deploymentId,
    attempt: Number(attempt),
    operation,
    process: { host, place, pid: Number(pid), startedTicks: ticks, ...pod },
  };
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
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
  const { host, place, pid, pod } = holder.process;
  const who = `${holder.operation} of ${holder.deploymentId}, attempt ${holder.attempt}, process ${pid} on ${host}`;
  if (place === me.place) {
    return isRunning(holder.process) ? { holder: 'alive', who } : { holder: 'dead' };
  }
  if (!silent) return { holder: 'alive', who };
  // The same host under another boot or PID namespace: the old one ended with all its processes.
  if (host === me.host) return { holder: 'dead' };
  return { holder: 'unknown', who, ...(pod ? { pod } : {}) };
}
