import { sql, type Kysely } from 'kysely';

/** What waits is looked for by people and by each change of a gate; of all deployments it is very little. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`create index deployments_waiting on deployments (number) where phase = 'waiting'`)
    .execute(db);
}
