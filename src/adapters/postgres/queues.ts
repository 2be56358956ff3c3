import { sql } from 'kysely';
import { isEnd } from '../../domain/phases.ts';
import type { Queueing } from '../../domain/queue.ts';
import type { Db } from './database.ts';
import { summariesById } from './deployment-rows.ts';

/** What a deployment may wait for. */
export interface QueueFacts {
  /** All of its lane that have not ended. */
  members: Queueing[];
  /** The deployments of the same runs of releases as those. */
  runs: Queueing[];
}

export function createQueues(db: Db) {
  return {
    /** Reads the lane of an environment's namespace, and what its deployments come after. */
    read: async (lane: { cluster: string; namespace: string }): Promise<QueueFacts> => {
      const { rows } = await sql<{ id: string }>`
        with members as (
          select distinct release_id, run from deployments
          where cluster = ${lane.cluster} and namespace = ${lane.namespace} and ended_at is null
        )
        select id from deployments join members using (release_id, run)`.execute(db);
      const runs = await summariesById(
        db,
        rows.map(({ id }) => id),
      );
      const members = runs.filter(
        ({ cluster, namespace, phase }) =>
          cluster === lane.cluster && namespace === lane.namespace && !isEnd(phase),
      );
      return { members, runs };
    },
  };
}
