import { ScheduleAlreadyRunning, ScheduleNotFoundError, type Client } from '@temporalio/client';
import { createHash } from 'node:crypto';
import { SERVICE_QUEUE } from '../../contract/workflow/ids.ts';

/** A workflow that is started again and again. */
export interface WantedSchedule {
  /** Its runs are called so too, with their time. */
  id: string;
  everyMs: number;
  workflowType: string;
  input: object;
  /** A run that lasts longer than this would hold up those that follow. */
  runTimeoutMs: number;
}

/**
 * Makes Temporal's schedules with this prefix those that are wanted, and removes the others. Harmless when
 * several servers do it at once.
 */
export async function setSchedules(
  client: Client,
  prefix: string,
  wanted: readonly WantedSchedule[],
): Promise<void> {
  for (const schedule of wanted) await set(client, schedule);
  const ids = new Set(wanted.map(({ id }) => id));
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(prefix) && !ids.has(scheduleId)) await remove(client, scheduleId);
  }
}

async function set(client: Client, schedule: WantedSchedule): Promise<void> {
  const { id: scheduleId, everyMs, workflowType, input, runTimeoutMs } = schedule;
  const options = {
    spec: specOf(schedule),
    action: {
      type: 'startWorkflow' as const,
      ...{ workflowType, taskQueue: SERVICE_QUEUE, workflowId: scheduleId },
      ...{ args: [input], workflowRunTimeout: runTimeoutMs },
    },
    // What was missed is made up for by the next run, which looks at the same.
    policies: { overlap: 'SKIP' as const, catchupWindow: Math.max(everyMs, 10_000) },
  };
  try {
    await client.schedule.create({ scheduleId, ...options });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    // Whether a person paused it stays as it is.
    const update = ({ state }: { state: object }) => ({ ...options, state });
    await client.schedule.getHandle(scheduleId).update(update);
  }
}

/** They take turns within the interval, and each comes up to a tenth of it later than its turn. */
function specOf({ id, everyMs }: WantedSchedule) {
  const turn = createHash('sha256').update(id).digest().readUInt32BE() / 2 ** 32;
  const offset = Math.floor((turn * everyMs) / 1_000) * 1_000;
  return { intervals: [{ every: everyMs, offset }], jitter: Math.floor(everyMs / 10) };
}

async function remove(client: Client, scheduleId: string): Promise<void> {
  try {
    await client.schedule.getHandle(scheduleId).delete();
  } catch (error) {
    // Another server was first.
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}
