import { sql } from 'kysely';
import type { CauseReport } from '../../domain/cause.ts';
import type { PolledRepository } from '../../contract/api/repository.ts';
import type { Db, Tx } from './database.ts';
import { notifyInbox } from './notifications.ts';
import { cleanText, iso, NOW } from './values.ts';

/** What the polls saw of the branches. */
export function createPolls(db: Db) {
  return {
    /**
     * Notes that the branch could be read. When it could not before, what was parked of the repository
     * is tried again; answers whether that is so.
     */
    succeeded: ({
      repository,
      commit,
    }: {
      repository: string;
      commit: string;
    }): Promise<{ recovered: boolean }> =>
      db.transaction().execute(async (tx) => {
        const recovered = (await failingSince(tx, repository)) !== null;
        const seen = { commit, polled_at: NOW, error_code: null, error: null, failing_since: null };
        await tx
          .insertInto('polls')
          .values({ repository, ...seen, seen_at: NOW })
          .onConflict((conflict) =>
            conflict.column('repository').doUpdateSet({
              ...seen,
              seen_at: sql<Date>`case when polls.commit = excluded.commit then polls.seen_at else now() end`,
            }),
          )
          .execute();
        if (recovered) {
          await tx
            .updateTable('inbox')
            .set({ parked_at: null, failures: 0, next_try_at: NOW })
            .where('repository', '=', repository)
            .where('parked_at', 'is not', null)
            .execute();
          await notifyInbox(tx);
        }
        return { recovered };
      }),

    /** Notes why the branch could not be read; answers whether it could be until now. */
    failed: ({
      repository,
      cause,
    }: {
      repository: string;
      cause: CauseReport;
    }): Promise<{ isNew: boolean }> =>
      db.transaction().execute(async (tx) => {
        const since = await failingSince(tx, repository);
        const seen = {
          polled_at: NOW,
          error_code: cause.code,
          error: cleanText(cause.sentence).slice(0, 500),
          failing_since: since ?? NOW,
        };
        await tx
          .insertInto('polls')
          .values({ repository, ...seen })
          .onConflict((conflict) => conflict.column('repository').doUpdateSet(seen))
          .execute();
        return { isNew: since === null };
      }),

    /** What is known of a repository's branch, and how much of it lies in the inbox. */
    find: async (repository: string): Promise<PolledRepository> => {
      const poll = await db
        .selectFrom('polls')
        .leftJoin('releases', (join) =>
          join
            .onRef('releases.repository', '=', 'polls.repository')
            .onRef('releases.commit', '=', 'polls.commit'),
        )
        .select([
          ...(['polls.commit', 'seen_at', 'polled_at'] as const),
          ...(['error_code', 'error', 'failing_since', 'releases.id as release_id'] as const),
        ])
        .where('polls.repository', '=', repository)
        .executeTakeFirst();
      const inbox = await db
        .selectFrom('inbox')
        .select([
          sql<number>`(count(*) filter (where parked_at is null))::integer`.as('waiting'),
          sql<number>`(count(*) filter (where parked_at is not null))::integer`.as('parked'),
        ])
        .where('repository', '=', repository)
        .where('done_at', 'is', null)
        .executeTakeFirstOrThrow();
      return {
        polledAt: poll ? iso(poll.polled_at) : null,
        head:
          poll?.commit && poll.seen_at
            ? { commit: poll.commit, seenAt: iso(poll.seen_at), releaseId: poll.release_id }
            : null,
        trouble:
          poll?.error_code && poll.failing_since
            ? {
                code: poll.error_code,
                sentence: poll.error ?? '',
                since: iso(poll.failing_since),
              }
            : null,
        inbox,
      };
    },
  };
}

/** Locked, so that of two servers' polls one says that it began or ended. */
async function failingSince(tx: Tx, repository: string): Promise<Date | null> {
  const row = await tx
    .selectFrom('polls')
    .select('failing_since')
    .where('repository', '=', repository)
    .forUpdate()
    .executeTakeFirst();
  return row?.failing_since ?? null;
}
