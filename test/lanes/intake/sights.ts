import { Client, Connection } from '@temporalio/client';
import { pollScheduleId } from '../../../src/contract/workflow/ids.ts';
import { numberOf } from './forge.ts';
import type { Push } from './pushes.ts';
import type { Rig } from './rig.ts';

/** A commit that Slipway saw at the head of a branch. */
interface Sight {
  repository: string;
  number: number;
  at: Date;
}

/**
 * All of them. A poll puts what it sees into the inbox; but the relay looks for itself before it starts a
 * release, and what it found to be the head then is news to no poll.
 */
export async function sightsOf({ database: { db } }: Pick<Rig, 'database'>): Promise<Sight[]> {
  const rows = await db
    .selectFrom('inbox')
    .select(['repository', 'after', 'received_at as at'])
    .where('after', 'is not', null)
    .execute();
  const releases = await db
    .selectFrom('releases')
    .select(['repository', 'commit', 'created_at as at'])
    .execute();
  return [...rows.map(({ after, ...row }) => ({ ...row, commit: after ?? '' })), ...releases].map(
    ({ repository, commit, at }) => ({ repository, number: numberOf(commit), at }),
  );
}

/** For whoever reads that a test failed: which heads were not seen, and what their polls did instead. */
export async function whyUnseen(rig: Rig, unseen: readonly Push[]): Promise<string> {
  const connection = await Connection.connect({ address: rig.temporal.address });
  const client = new Client({ connection, namespace: rig.temporal.namespace });
  try {
    const repositories = [...new Set(unseen.map(({ repository }) => repository))];
    const reports = await Promise.all(
      repositories.map(async (repository) => {
        const missed = unseen.filter((one) => one.repository === repository);
        const numbers = missed.map(({ after }) => numberOf(after)).join(', ');
        const poll = await rig.database.db
          .selectFrom('polls')
          .selectAll()
          .where('repository', '=', repository)
          .executeTakeFirst();
        const { info, state } = await client.schedule
          .getHandle(pollScheduleId(repository))
          .describe();
        const query = `WorkflowId STARTS_WITH '${pollScheduleId(repository)}'`;
        const runs: string[] = [];
        for await (const { workflowId, status, startTime, closeTime } of client.workflow.list({
          query,
        })) {
          const end = closeTime?.toISOString() ?? 'no end';
          runs.push(`${workflowId} ${status.name} ${startTime.toISOString()} to ${end}`);
        }
        const what = { lastPoll: poll, schedule: { ...info, state }, runs };
        return `Commits ${numbers} of ${repository} were never seen: ${JSON.stringify(what, null, 2)}`;
      }),
    );
    return reports.join('\n');
  } finally {
    await connection.close();
  }
}
