import type { Client } from '@temporalio/client';
import { POLL_PREFIX, pollScheduleId } from '../../contract/workflow/ids.ts';
import { setSchedules } from './schedules.ts';

/** A branch whose head is looked at regularly. */
export interface Poll {
  repository: string;
  everyMs: number;
}

/** Makes Temporal's schedules those of the configuration: none for what is not polled any more. */
export async function setPollSchedules(client: Client, polls: readonly Poll[]): Promise<void> {
  const wanted = polls.map(({ repository, everyMs }) => ({
    ...{ id: pollScheduleId(repository), everyMs, workflowType: 'pollWorkflow' },
    ...{ input: { repository }, runTimeoutMs: Math.max(2 * everyMs, 300_000) },
  }));
  await setSchedules(client, POLL_PREFIX, wanted);
}

/** Has each of the branches looked at now; one that is just looked at is left at that. */
export async function pollNow(client: Client, polls: readonly Poll[]): Promise<void> {
  for (const { repository } of polls) {
    await client.schedule.getHandle(pollScheduleId(repository)).trigger();
  }
}
