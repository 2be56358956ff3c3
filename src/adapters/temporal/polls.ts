import { ScheduleAlreadyRunning, ScheduleNotFoundError, type Client } from '@temporalio/client';
import { createHash } from 'node:crypto';
import { POLL_PREFIX, pollScheduleId, SERVICE_QUEUE } from '../../contract/workflow/ids.ts';

/** A branch whose head is looked at regularly. */
export interface Poll {
  repository: string;
  everyMs: number;
}

/**
 * Makes Temporal's schedules those of the configuration: one for each poll, none for what is not polled
 * any more. Harmless when several servers do it at once.
 */
export async function setPollSchedules(client: Client, polls: readonly Poll[]): Promise<void> {
  for (const poll of polls) await set(client, poll);
  const wanted = new Set(polls.map(({ repository }) => pollScheduleId(repository)));
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(POLL_PREFIX) && !wanted.has(scheduleId)) {
      await remove(client, scheduleId);
    }
  }
}

/** Has each of the branches looked at now; one that is just looked at is left at that. */
export async function pollNow(client: Client, polls: readonly Poll[]): Promise<void> {
  for (const { repository } of polls) {
    await client.schedule.getHandle(pollScheduleId(repository)).trigger();
  }
}

async function set(client: Client, poll: Poll): Promise<void> {
  const scheduleId = pollScheduleId(poll.repository);
  const options = {
    spec: specOf(poll),
    action: {
      type: 'startWorkflow' as const,
      workflowType: 'pollWorkflow',
      taskQueue: SERVICE_QUEUE,
      workflowId: scheduleId,
      args: [{ repository: poll.repository }],
      // A poll that lasts longer than this would hold up those that follow.
      workflowRunTimeout: Math.max(2 * poll.everyMs, 300_000),
    },
    // What was missed is made up for by the next poll, which looks at the same head.
    policies: { overlap: 'SKIP' as const, catchupWindow: Math.max(poll.everyMs, 10_000) },
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

/** Repositories take turns within the interval, and each comes up to a tenth of it later than its turn. */
function specOf({ repository, everyMs }: Poll) {
  const turn = createHash('sha256').update(repository).digest().readUInt32BE() / 2 ** 32;
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
