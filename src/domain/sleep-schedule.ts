/** The annotations by which kube-downscaler and its kin switch workloads off by the clock. */

export interface SleepSchedule {
  /** `downscaler/uptime`: when it runs, such as `Mon-Fri 07:50-18:05 Europe/London`. */
  uptime?: string;
  /** `downscaler/downtime`: when it sleeps. */
  downtime?: string;
  /** `downscaler/original-replicas`: what it gets back at wake. */
  originalReplicas?: number;
}

/** Reads the schedule from a workload's annotations; nothing where no downscaler minds it. */
export function sleepScheduleOf(
  annotations: Readonly<Record<string, string>> | undefined,
): SleepSchedule | undefined {
  const uptime = annotations?.['downscaler/uptime'];
  const downtime = annotations?.['downscaler/downtime'];
  const original = Number(annotations?.['downscaler/original-replicas'] ?? 0);
  if (uptime === undefined && downtime === undefined && !(original > 0)) return undefined;
  return {
    ...(uptime === undefined ? {} : { uptime }),
    ...(downtime === undefined ? {} : { downtime }),
    ...(original > 0 ? { originalReplicas: original } : {}),
  };
}

// One range of one schedule, the usual case; anything richer is quoted as it stands.
const RANGE = /^\S+ (\d{1,2}:\d{2})-(\d{1,2}:\d{2}) (\S+)$/;

/** A sentence for people: that it sleeps, and when it wakes as far as the schedule says so plainly. */
export function asleepInWords({ uptime, downtime, originalReplicas }: SleepSchedule): string {
  const replicas = originalReplicas === undefined ? '' : ` with ${originalReplicas} replicas`;
  const up = RANGE.exec(uptime ?? '');
  if (up) return `asleep by schedule until ${up[1]} ${up[3]}${replicas}`;
  const down = RANGE.exec(downtime ?? '');
  if (down) return `asleep by schedule until ${down[2]} ${down[3]}${replicas}`;
  const schedule = uptime ? `uptime ${uptime}` : downtime ? `downtime ${downtime}` : '';
  const rule = schedule === '' ? 'of its namespace' : `"${schedule}"`;
  return `asleep by the schedule ${rule}; wakes${replicas === '' ? ' by it' : replicas}`;
}
